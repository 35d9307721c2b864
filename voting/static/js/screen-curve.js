// The curve of votes per hour: the parts of ECharts that a line needs, drawn on canvas, which asks for no inline style.
import { LineChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([LineChart, GridComponent, CanvasRenderer]);

const HOUR_MS = 3600000;
const CREAM = "#f0cfa8";
const GOLD = "#e9c46f";
const SANS = "system-ui, 'PingFang SC', 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif";

export function showCurve(words) {
  const room = document.querySelector("[data-curve-room]");
  const place = document.querySelector("[data-curve]");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let chart = null;
  let picture = null;

  const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

  function short(number) {
    if (number >= 1e6) return `${number / 1e6}M`;
    return number >= 1e3 ? `${number / 1e3}k` : `${number}`;
  }

  function draw() {
    const board = picture && picture.board;
    const hours = board && board.hours;
    room.hidden = !hours;
    // A hundred rows at once leave no room for it.
    if (!hours || !place.clientWidth || !place.clientHeight) return;
    if (!chart) chart = init(place, null, { renderer: "canvas" });
    const unit = rem();
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: picture.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const day = new Intl.DateTimeFormat("en-GB", { timeZone: picture.zone, day: "numeric", month: "numeric" });
    const date = (ms) => day.formatToParts(ms).filter((p) => p.type !== "literal").map((p) => p.value).reverse().join("-");
    const starts = hours.votes.map((_, at) => hours.from + at * HOUR_MS);
    const last = starts.length - 1;
    const label = (ms) => (last >= 24 ? date(ms) : clock.format(ms));
    const type = { color: CREAM, fontSize: 2 * unit, fontFamily: SANS };
    chart.resize();
    chart.setOption({
      animation: !calm.matches,
      animationDuration: 600,
      grid: { left: 0.5 * unit, right: 1.5 * unit, top: 1.2 * unit, bottom: 0.4 * unit, containLabel: true },
      xAxis: {
        type: "category",
        data: starts,
        boundaryGap: false,
        axisLine: { lineStyle: { color: "#8a3a2c", width: unit / 8 } },
        axisTick: { show: false },
        // Two labels say where it begins and ends; more would not be legible from the last row.
        axisLabel: {
          ...type,
          margin: 0.6 * unit,
          interval: (at) => at === 0 || (at === last && last > 0),
          alignMinLabel: "left",
          alignMaxLabel: "right",
          formatter: (ms) => label(Number(ms)),
        },
      },
      yAxis: {
        type: "value",
        min: 0,
        minInterval: 1,
        splitNumber: 2,
        axisLabel: { ...type, formatter: short },
        splitLine: { lineStyle: { color: "#6d2018", width: unit / 12 } },
      },
      series: [
        {
          type: "line",
          data: hours.votes,
          showSymbol: last < 1,
          symbolSize: unit,
          lineStyle: { color: GOLD, width: unit / 4 },
          itemStyle: { color: GOLD },
          areaStyle: { color: "rgba(233, 196, 111, 0.22)" },
        },
      ],
    });
    place.setAttribute("aria-label", `${words.hourly}: ${hours.votes[last] || 0}`);
  }

  window.addEventListener("resize", draw);
  return (shown) => {
    if (shown.board || !picture) picture = shown;
    draw();
  };
}
