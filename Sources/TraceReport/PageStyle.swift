/// How the page looks and what moves on it.
extension Page {
  // Blue, orange and green of equal weight, told apart by colour-blind readers too; the dark set
  // is chosen for the dark ground and not an inversion. q1 to q7 go from little to much.
  static let style: Markup = """

    :root { --ground:#f6f6f3; --card:#fff; --ink:#16181d; --soft:#5b616e; --rule:#e3e4e0;
      --read:#2a78d6; --write:#e0602c; --other:#158f65; --alarm:#b3261e; --alarm-ground:#fdecea;
      --warn:#7a5200; --warn-ground:#fdf4dd;
      --q1:#d3e5fa; --q2:#a9cdf5; --q3:#7bb1ee; --q4:#4d93e2; --q5:#2a74c9; --q6:#1a569b;
      --q7:#0d3868; }
    @media (prefers-color-scheme: dark) { :root { --ground:#111315; --card:#1a1d20; --ink:#eceef0;
      --soft:#a2a9b3; --rule:#30353a; --read:#5c9fee; --write:#ee8050; --other:#37b384;
      --alarm:#ff9d94; --alarm-ground:#3c1714; --warn:#f0c76a; --warn-ground:#332808;
      --q1:#16304f; --q2:#1a4273; --q3:#21589a; --q4:#2f74c4; --q5:#5797e2; --q6:#8dbaf0;
      --q7:#cbe0fa; } }
    * { box-sizing:border-box; }
    body { margin:0; background:var(--ground); color:var(--ink);
      font:15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif; }
    main { max-width:1120px; margin:0 auto; padding:32px 20px 64px; }
    h1 { font-size:26px; line-height:1.2; margin:0; letter-spacing:-.01em; }
    h2 { font-size:16px; margin:0 0 4px; }
    .facts { margin:4px 0 20px; color:var(--soft); }
    .tiles { display:grid; grid-template-columns:repeat(auto-fill, minmax(220px, 1fr)); gap:12px;
      margin:0 0 20px; }
    .tiles div { background:var(--card); border:1px solid var(--rule); border-radius:10px;
      padding:12px 16px; display:flex; flex-direction:column-reverse; }
    .tiles dt { color:var(--soft); font-size:13px; }
    .tiles dd { margin:0; font-size:22px; font-weight:600; letter-spacing:-.01em; }
    section { background:var(--card); border:1px solid var(--rule); border-radius:10px;
      padding:18px 20px; margin:0 0 20px; }
    .alarm, .warning { border-radius:10px; padding:12px 16px; margin:0 0 20px; }
    .alarm { color:var(--alarm); background:var(--alarm-ground); border:1px solid; font-size:17px; }
    .warning { color:var(--warn); background:var(--warn-ground); overflow-wrap:anywhere; }
    .warning summary { cursor:pointer; font-weight:600; }
    .warning ul { margin:6px 0 0; padding-left:20px; }
    .legend { display:flex; flex-wrap:wrap; gap:4px 18px; margin:0 0 8px; color:var(--soft);
      font-size:13px; }
    .legend.scale { gap:0; align-items:center; }
    .legend.scale .swatch { width:26px; margin:0; border-radius:0; }
    .legend.scale span:first-child { margin-right:8px; } .legend.scale span:last-child {
      margin-left:8px; }
    .swatch { display:inline-block; width:12px; height:12px; border-radius:3px; margin-right:6px;
      vertical-align:-1px; }
    svg { display:block; width:100%; height:auto; overflow:visible; }
    svg:focus-visible, .scroll:focus-visible { outline:2px solid var(--read); outline-offset:4px; }
    .grid { stroke:var(--rule); stroke-width:1; }
    .tick, .value { fill:var(--soft); font-size:12px; font-variant-numeric:tabular-nums; }
    .name { fill:var(--ink); font-size:13px; }
    .line { fill:none; stroke-width:1.6; stroke-linejoin:round; }
    .area { opacity:.14; stroke:none; }
    .line.read { stroke:var(--read); } .line.write { stroke:var(--write); }
    .line.other { stroke:var(--other); }
    .area.read, .bar.read { fill:var(--read); } .area.write, .bar.write { fill:var(--write); }
    .area.other, .bar.other { fill:var(--other); }
    .swatch.read { background:var(--read); } .swatch.write { background:var(--write); }
    .swatch.other { background:var(--other); }
    .q1 { fill:var(--q1); background:var(--q1); } .q2 { fill:var(--q2); background:var(--q2); }
    .q3 { fill:var(--q3); background:var(--q3); } .q4 { fill:var(--q4); background:var(--q4); }
    .q5 { fill:var(--q5); background:var(--q5); } .q6 { fill:var(--q6); background:var(--q6); }
    .q7 { fill:var(--q7); background:var(--q7); }
    .cursor { stroke:var(--soft); stroke-width:1; visibility:hidden; }
    .scroll { overflow-x:auto; }
    table { border-collapse:collapse; width:100%; font-size:13px; }
    caption { text-align:left; color:var(--soft); padding:0 0 8px; }
    th { color:var(--soft); font-weight:600; text-align:left; border-bottom:1px solid var(--rule); }
    th, td { padding:5px 14px 5px 0; white-space:nowrap; vertical-align:top; }
    td.text { max-width:520px; white-space:normal; overflow-wrap:anywhere; min-width:72px; }
    tbody tr + tr td { border-top:1px solid var(--rule); }
    .number { text-align:right; font-variant-numeric:tabular-nums; }
    #tip { position:fixed; z-index:1; pointer-events:none; background:var(--ink);
      color:var(--ground); border-radius:8px; padding:8px 12px; font-size:13px; white-space:pre;
      font-variant-numeric:tabular-nums; box-shadow:0 2px 10px #0004; }
    @media (max-width:600px) { main { padding:20px 12px 40px; } section { padding:14px 12px; } }
    @media print { section { break-inside:avoid; } }

    """

  // The tooltips. Text goes in as text, never as markup; the page is whole without them.
  static let script: Markup = """

    "use strict";
    const data = JSON.parse(document.getElementById("data").textContent);
    const tip = document.getElementById("tip");
    const LEFT = 84, RIGHT = 944;
    document.querySelectorAll("svg[data-chart]").forEach((svg, number) => {
      const chart = data[number], isHeat = svg.dataset.chart === "heat";
      const count = isHeat ? chart.columns.length : chart.length;
      const end = Number(svg.dataset.end || RIGHT);
      const cursor = svg.querySelector(".cursor");
      let column = 0, row = 0;
      if (!count) return;
      svg.tabIndex = 0;
      const hide = () => { tip.hidden = true; if (cursor) cursor.style.visibility = "hidden"; };
      const show = (x, y) => {
        tip.textContent = isHeat
          ? chart.rows[row] + "\\n" + chart.columns[column] + "\\n" + chart.cells[row][column]
          : chart[column].join("\\n");
        tip.hidden = false;
        const width = tip.offsetWidth, height = tip.offsetHeight;
        tip.style.left = Math.max(4, Math.min(innerWidth - width - 4, x + 14)) + "px";
        tip.style.top = (y - height - 12 < 4 ? y + 16 : y - height - 12) + "px";
        if (cursor) {
          const at = LEFT + (column + .5) * (end - LEFT) / count;
          cursor.setAttribute("x1", at); cursor.setAttribute("x2", at);
          cursor.style.visibility = "visible";
        }
      };
      const place = (clientX, clientY) => {
        const point = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
        const inside = point.x >= LEFT && point.x < end;
        column = Math.floor((point.x - LEFT) / (end - LEFT) * count);
        if (isHeat) {
          const top = Number(svg.dataset.top), bottom = Number(svg.dataset.bottom);
          row = Math.floor((point.y - top) / (bottom - top) * chart.rows.length);
        }
        return inside && (!isHeat || (row >= 0 && row < chart.rows.length));
      };
      svg.addEventListener("pointermove", event => {
        if (place(event.clientX, event.clientY)) show(event.clientX, event.clientY); else hide();
      });
      svg.addEventListener("pointerleave", hide);
      svg.addEventListener("blur", hide);
      svg.addEventListener("keydown", event => {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1],
          ArrowDown: [0, 1] }[event.key];
        if (event.key === "Escape") hide();
        if (!step || (!isHeat && step[1])) return;
        event.preventDefault();
        column = Math.max(0, Math.min(count - 1, column + step[0]));
        if (isHeat) row = Math.max(0, Math.min(chart.rows.length - 1, row + step[1]));
        const box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal;
        show(box.left + (LEFT + (column + .5) * (end - LEFT) / count) * box.width / view.width,
          box.top + box.height / 3);
      });
    });

    """
}
