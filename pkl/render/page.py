"""The script and the style sheet of the HTML page: our own, small, and inlined."""

from __future__ import annotations

import re

from .style import DARK, FONT, LIGHT, MONO, coloured, stylesheet

__all__ = ["SCRIPT", "page_style"]


def _tight(script: str) -> str:
    """The script without indentation and the blanks around operators, a quarter of it.

    No text of the script has a blank beside one of these signs.
    """
    lines = (line.strip() for line in script.splitlines() if line.strip())
    return re.sub(r" *(=>|&&|\|\||[=+*/<>?:,;]) *", r"\1", "\n".join(lines))


SCRIPT = _tight(
    r"""
"use strict";
(() => {
  const byId = id => document.getElementById(id);
  const {nodes, edges, start} = JSON.parse(byId("data").textContent);
  const [stage, side, full, hits, search, all] =
    ["stage", "side", "full", "hits", "search", "all"].map(byId);
  const near = [0, 1].map(() => nodes.map(() => []));
  edges.forEach(e => { near[0][e.f].push(e); near[1][e.t].push(e); });
  let svg, box, whole = true, here = -1, grip;
  let dark = matchMedia("(prefers-color-scheme:dark)").matches;

  const make = (tag, into, text, given) => {
    const made = into.appendChild(document.createElementNS(into.namespaceURI, tag));
    if (text) made.textContent = text;
    for (const name in given) made.setAttribute(name, given[name]);
    return made;
  };
  const lower = (a, b) => a[0] - b[0] || a[1] - b[1];
  const reach = (from, way, depth) => {
    const found = new Set([from]);
    for (let ring = [from]; ring.length && depth--;) ring = ring.flatMap(n =>
      (near[way][n] ?? []).filter(e => e.k < 2).map(e => way ? e.f : e.t).filter(to =>
        !found.has(to) && found.add(to)));
    return found;
  };

  const look = (...next) => svg.setAttribute("viewBox", (box = next).join(" "));
  const zoom = (by, x = .5, y = .5) => look(box[0] + box[2] * (1 - by) * x,
    box[1] + box[3] * (1 - by) * y, box[2] * by, box[3] * by);
  const fit = least => {
    const {clientWidth: w, clientHeight: h} = stage;
    const by = Math.max(least, Math.min(1, w / svg.dataset.w, h / svg.dataset.h));
    look(0, 0, w / by, h / by);
  };
  const show = made => {
    stage.replaceChildren(svg = made);
    svg.querySelectorAll(".n").forEach(g => {
      g.tabIndex = 0;
      g.role = "button";
      g.onclick = () => grip?.[3] || focus(+g.dataset.n);
    });
    fit(.55);
  };

  const draw = n => {
    const shown = [...new Set([0, 1].flatMap(way => [...reach(n, way, 2)].slice(0, 50)))];
    const waves = [...new Set(shown.map(i => nodes[i].c))].sort((a, b) => a - b);
    const columns = waves.map(() => []), items = {};
    const put = (key, c, high) => items[key] ??=
      columns[c][columns[c].length] = {c, high, near: []};
    shown.forEach(i => put(i, waves.indexOf(nodes[i].c), 54));
    const lines = edges.filter(e => items[e.f] && items[e.t]);
    for (const e of lines) {
      e.path = [items[e.t]];
      for (let c = items[e.t].c + 1; c < items[e.f].c; c++) e.path.push(put(e.t + ":" + c, c, 14));
      e.path.push(items[e.f]);
      e.path.reduce((a, b) => (a.near.push(b), b.near.push(a), b));
    }
    const height = c => c.reduce((sum, item) => sum + item.high, 0);
    const tall = Math.max(...columns.map(height));
    const spread = c => c.reduce((y, item) => (item.y = y + item.high / 2) + item.high / 2,
      (tall - height(c)) / 2 + 80);
    columns.forEach(spread);
    for (const c of [...columns, ...columns, ...columns]) {
      c.forEach(item => item.mean =
        item.near.reduce((sum, end) => sum + end.y / item.near.length, 0) || item.y);
      spread(c.sort((a, b) => a.mean - b.mean));
    }
    const made = svg.cloneNode();
    made.append(svg.querySelector("defs"));
    made.dataset.w = columns.length * 300;
    made.dataset.h = tall + 120;
    waves.forEach((w, i) => make("text", made, w < 0 ? "Not there" : "Wave " + (w + 1),
      {class: "t", x: i * 300 + 40, y: 40}));
    for (const e of lines) {
      const by = Math.sign(items[e.f].c - items[e.t].c);
      const x = (item, end) => item.c * 300 + 140 + (end || 1) * 100;
      make("path", made, "", {class: e.s, "data-f": e.f, "data-t": e.t, d: e.path.map((to, i) => {
        const from = e.path[i - 1], a = x(to, -by);
        if (!i) return `M${x(to, by)},${to.y}`;
        const m = by ? (x(from, by) + a) / 2 : a + 50;
        return `C${m},${from.y} ${m},${to.y} ${a},${to.y}H${x(to, by)}`;
      }).join("")});
    }
    for (const i of shown) {
      const {n: name, s, g: glyph, v, w} = nodes[i];
      const g = make("g", made, "", {class: s, "data-n": i,
        transform: `translate(${items[i].c * 300 + 40},${items[i].y - 20})`});
      make("rect", g, "", {width: 200, height: 40, rx: 8});
      make("use", g, "", {class: "g", href: "#pkl-" + glyph, x: 13, y: 13});
      make("text", g, name.slice(0, 22), {class: "name", x: 24, y: 17});
      make("text", g, (v.slice(0, 14) + " " + w).slice(0, 28), {class: "note", x: 24, y: 33});
    }
    show(made);
  };

  const tell = n => {
    [side, hits].forEach(each => each.replaceChildren());
    side.hidden = n < 0;
    if (n < 0) return;
    make("h2", side, nodes[n].n);
    make("p", side, nodes[n].y);
    ["Needs", "Needed by"].forEach((title, way) => {
      const found = near[way][n];
      make("h3", side, `${title} (${found.length})`);
      for (const e of found.slice(0, 200)) {
        const row = make("p", side), to = way ? e.f : e.t;
        make("button", row, nodes[to].n).onclick = () => focus(to);
        make("span", row, " " + e.r);
      }
    });
  };
  const focus = n => {
    here = n;
    tell(n);
    if (!whole) draw(n);
    const sets = [0, 1].map(way => reach(n, way, 1e9));
    svg.classList.toggle("focus", n >= 0);
    svg.querySelectorAll("[data-n],[data-f]").forEach(item => {
      const {n: own, f = own, t = own} = item.dataset;
      sets.forEach((set, way) => item.classList.toggle(way ? "user" : "need",
        +own !== n && set.has(+f) && set.has(+t)));
      item.classList.toggle("here", +own === n);
    });
    const [x, y] = svg.querySelector(".here")?.getAttribute("transform").match(/\d+/g) ?? [];
    const [left, top, w, h] = box;
    if (Math.abs(x - left - w / 2) > w / 2 || Math.abs(y - top - h / 2) > h / 2)
      look(x - w / 2, y - h / 2, w, h);
  };

  stage.onpointerdown = at => grip = [at.clientX, at.clientY, box];
  stage.onpointermove = at => {
    if (!grip || !at.buttons) return;
    const [x, y, [left, top, w, h]] = grip, by = w / stage.clientWidth;
    const dx = at.clientX - x, dy = at.clientY - y;
    if (grip[3] ||= Math.hypot(dx, dy) > 4) look(left - dx * by, top - dy * by, w, h);
  };
  stage.onclick = at => {
    if (whole && !grip?.[3] && !at.target.closest(".n")) focus(-1);
  };
  stage.onkeydown = at => at.key === "Enter" && at.target.onclick?.();
  stage.onwheel = at => {
    at.preventDefault();
    const {x, y, width, height} = stage.getBoundingClientRect();
    zoom(at.deltaY > 0 ? 1.15 : .87, (at.clientX - x) / width, (at.clientY - y) / height);
  };

  search.oninput = () => {
    const wanted = search.value.toLowerCase();
    hits.replaceChildren();
    if (wanted) nodes.map((node, i) => [node.n.toLowerCase().indexOf(wanted), node.n.length, i])
      .filter(hit => hit[0] >= 0).sort(lower).slice(0, 12)
      .forEach(hit => make("button", hits, nodes[hit[2]].n).onclick = () => focus(hit[2]));
  };
  search.onkeydown = at => at.key === "Enter" && hits.firstChild?.click();
  byId("in").onclick = () => zoom(.77);
  byId("out").onclick = () => zoom(1.3);
  byId("fit").onclick = () => fit(0);
  byId("theme").onclick = () => {
    document.documentElement.dataset.theme = (dark = !dark) ? "dark" : "light";
  };
  if (full) all.onclick = () => {
    all.textContent = whole ? "Show all" : "Show the focus";
    whole = !whole;
    if (whole) show(full.content.firstElementChild.cloneNode(true));
    focus(here);
  };
  document.body.classList.add("live");
  show(stage.firstElementChild);
  if (full) focus(start);
  whole = !full;
})();
"""
)
"""What the page does beyond showing the drawing; it works without."""

_FIXED = f"""
*{{box-sizing:border-box}}
body{{margin:0;font:14px/1.5 {FONT};display:flex;flex-direction:column;min-height:100vh}}
header{{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;padding:12px 20px;
border-bottom:1px solid}}
h1{{font-size:16px;margin:0}}header p{{margin:0}}
#tools{{display:none;gap:6px;margin-left:auto;position:relative}}
.live #tools{{display:flex;flex-wrap:wrap}}#tools button{{white-space:nowrap}}
button,input{{font:inherit;border:1px solid;border-radius:8px;padding:3px 10px}}
button{{cursor:pointer}}button:focus-visible,input:focus-visible,.n:focus-visible rect{{
outline:2px solid;outline-offset:1px}}
#hits{{position:absolute;top:36px;left:0;z-index:2;display:flex;flex-direction:column;min-width:200px}}
#hits button{{text-align:left;border-radius:0}}
main{{display:flex;flex:1;min-height:0}}
#stage{{overflow:auto;flex:1}}
.live{{height:100vh}}.live #stage{{overflow:hidden;touch-action:none}}
.live #stage svg{{display:block;width:100%;height:100%}}.live .n{{cursor:pointer}}
.live #stage .bg,.live #stage .head,.live #stage .sub.counts{{display:none}}
#side{{width:300px;overflow:auto;padding:16px 20px;border-left:1px solid;overflow-wrap:anywhere}}
#side h2{{font-size:16px;margin:0}}#side h3{{font-size:13px;margin:16px 0 4px}}
#side p{{margin:3px 0}}
#side button{{border:0;padding:0;background:none;text-align:left;text-decoration:underline}}
#side span,td.v{{font-family:{MONO};font-size:12px}}
details{{padding:8px 20px;border-top:1px solid}}.live details[open]{{max-height:50vh;overflow:auto}}
table{{border-collapse:collapse;width:100%}}
td,th{{text-align:left;padding:3px 10px 3px 0;vertical-align:top}}
.focus .n,.focus .l{{opacity:.22}}.focus .e{{opacity:.12}}
.focus .legend .e,.focus .n.need,
.focus .n.user,.focus .n.here,.focus .e.need,.focus .e.user{{opacity:1}}
:where(path.e:not([marker-start],[marker-end],.conflicts)){{marker-start:url(#pkl-s)}}
.e.need{{marker-start:url(#pkl-sneed)}}.e.user{{marker-start:url(#pkl-suser)}}
.e.need,.e.user{{stroke-width:2}}.n.here rect{{stroke-width:3}}
@media(max-width:640px){{main{{flex-direction:column}}#side{{width:auto;max-height:40vh}}}}
"""

_COLOURS = (
    ("body", "background", "bg"),
    ("body,button,input", "color", "text"),
    ("button,input", "background", "panel"),
    ("header,#side,details,button,input", "border-color", "line"),
    ("header p,#side p,summary", "color", "muted"),
    ("#side button,button:focus-visible,input:focus-visible", "outline-color", "accent"),
    ("#side button", "color", "accent"),
    (".e.need,.n.need rect", "stroke", "accent"),
    (".e.user,.n.user rect", "stroke", "used"),
    (".n.here rect", "stroke", "text"),
)


def page_style() -> str:
    """The style sheet of the page, with that of the drawing in it."""
    css = f"{stylesheet(switchable=True)}{_FIXED}{coloured(LIGHT, _COLOURS)}\n"
    dark = coloured(DARK, _COLOURS, ":root:not([data-theme=light]) ")
    css += f"@media (prefers-color-scheme:dark){{{dark}}}\n"
    return f"{css}{coloured(DARK, _COLOURS, ':root[data-theme=dark] ')}\n"
