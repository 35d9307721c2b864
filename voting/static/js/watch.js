// The watch of the desk: fetches the figures every few seconds, writes them into the tables, and draws them as charts.
// Without this script the tables are all there, and a reload brings them up to date.
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

const EVERY_MS = 5000;
const LONGEST_MS = 60000;
const room = document.querySelector("[data-watch]");
const words = JSON.parse(room.dataset.words);
const figures = new Intl.NumberFormat(document.documentElement.lang);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const charts = new Map();
let at = "";
let shown = null;
let wait = EVERY_MS;

function cell(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (kind === "th") made.scope = "row";
  return made;
}

function fill(table, part) {
  const rows = part.rows.map(([name, ...numbers]) => {
    const row = document.createElement("tr");
    row.append(cell("th", name), ...numbers.map((number) => cell("td", figures.format(number))));
    return row;
  });
  if ("newestFirst" in table.dataset) rows.reverse();
  if (!rows.length) {
    const row = document.createElement("tr");
    row.append(cell("td", words.none));
    row.firstChild.colSpan = part.head.length;
    rows.push(row);
  }
  table.tBodies[0].replaceChildren(...rows);
}

function look() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: colour("ink-soft"),
    line: colour("line"),
    card: colour("card"),
    colours: ["red", "gold", "good-text", "silver", "bronze"].map(colour),
    type: { color: colour("ink-soft"), fontSize: 13, fontFamily: getComputedStyle(document.body).fontFamily },
  };
}

function draw(name, part) {
  const place = document.querySelector(`[data-chart="${name}"]`);
  place.hidden = !part.rows.length;
  if (place.hidden) return;
  if (!charts.has(name)) charts.set(name, init(place, null, { renderer: "canvas" }));
  const { ink, line, card, colours, type } = look();
  const across = name === "refusals";
  const rows = across ? part.rows.slice(0, 8).reverse() : part.rows;
  const names = { type: "category", data: rows.map((row) => row[0]), axisLabel: type, axisTick: { show: false }, axisLine: { lineStyle: { color: line } } };
  const numbers = { type: "value", minInterval: 1, splitNumber: 3, axisLabel: type, splitLine: { lineStyle: { color: line } } };
  const many = part.head.length > 2;
  const bars = ["areas", "identities", "devices"].includes(name) || across;
  charts.get(name).setOption({
    animation: !calm.matches,
    animationDuration: 300,
    color: colours,
    grid: { left: 4, right: 16, top: many ? 36 : 12, bottom: 4, containLabel: true },
    legend: { show: many, top: 0, left: 0, textStyle: type, itemWidth: 14 },
    // Drawn on the canvas: one made of HTML would need inline styles.
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: card, borderColor: line, textStyle: { ...type, color: ink } },
    xAxis: across ? numbers : names,
    yAxis: across ? names : numbers,
    series: part.head.slice(1).map((title, place) => ({
      type: bars ? "bar" : "line",
      name: title,
      data: rows.map((row) => row[place + 1]),
      barMaxWidth: 28,
      showSymbol: rows.length < 2,
      lineStyle: { width: 2 },
      areaStyle: bars ? undefined : { opacity: 0.12 },
    })),
  });
}

function show(picture) {
  shown = picture;
  at = picture.at;
  for (const [name, text] of Object.entries(picture.totals)) {
    document.querySelector(`[data-total="${name}"]`).textContent = text;
  }
  const warning = document.querySelector("[data-warning]");
  warning.hidden = !picture.warning;
  warning.firstElementChild.textContent = picture.warning;
  for (const table of document.querySelectorAll("[data-table]")) fill(table, picture[table.dataset.table]);
  for (const chart of document.querySelectorAll("[data-chart]")) draw(chart.dataset.chart, picture[chart.dataset.chart]);
}

function say(state) {
  document.querySelector("[data-line]").textContent = words[state].replace("{at}", at);
}

async function again() {
  if (!document.hidden) {
    try {
      const answer = await fetch(room.dataset.watch, { headers: { Accept: "application/json" } });
      if (answer.redirected) {
        say("out");
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.json());
      say("live");
      wait = EVERY_MS;
    } catch {
      if (at) say("lost");
      wait = Math.min(wait * 2, LONGEST_MS);
    }
  }
  setTimeout(again, wait);
}

window.addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown && show(shown));
again();
