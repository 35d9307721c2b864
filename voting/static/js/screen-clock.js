// What runs with the time: countdown, phase, the instant the figures are true for, and what is said about it.
export function showClocks(words) {
  const one = (name) => document.querySelector(name);
  const [phase, countdown, word, time] = ["[data-phase]", "[data-countdown]", "[data-countdown-word]", "[data-countdown-time]"].map(one);
  const [asOf, asOfRoom, note, scan] = ["[data-as-of]", "[data-as-of-room]", "[data-note]", "[data-scan]"].map(one);
  let picture = null;
  let ahead = 0;

  const two = (number) => String(number).padStart(2, "0");

  function tick() {
    const now = Date.now() + ahead;
    const current = picture.phase === "upcoming" && now >= picture.opens ? "open" : picture.phase;
    const running = current === "open" || current === "paused";
    const target = current === "upcoming" ? picture.opens : running ? picture.closes : 0;
    const left = Math.max(0, Math.floor((target - now) / 1000));
    countdown.hidden = !target || !left;
    word.textContent = current === "upcoming" ? words.toOpening : words.toClosing;
    const days = Math.floor(left / 86400);
    const clock = [Math.floor((left % 86400) / 3600), Math.floor((left % 3600) / 60), left % 60].map(two).join(":");
    time.textContent = days ? `${days} ${words.days} ${clock}` : clock;
    const shown = running && now >= picture.closes ? "closed" : current;
    if (phase.dataset.phase !== shown) {
      phase.dataset.phase = shown;
      phase.lastElementChild.textContent = words.phases[shown];
      scan.textContent = shown === "open" ? words.scanToVote : words.scan;
    }
  }

  function at(ms) {
    const zone = { timeZone: picture.zone, hourCycle: "h23" };
    const day = (when) => new Intl.DateTimeFormat("en-CA", { ...zone, dateStyle: "short" }).format(when);
    const clock = new Intl.DateTimeFormat("en-GB", { ...zone, timeStyle: "medium" }).format(ms);
    return day(ms) === day(Date.now() + ahead) ? clock : `${day(ms)} ${clock}`;
  }

  setInterval(() => picture && tick(), 1000);
  return (shown) => {
    // This machine's clock may be wrong; the server's counts.
    ahead = shown.now - Date.now();
    picture = shown.board || !picture ? shown : { ...shown, board: picture.board };
    const board = picture.board;
    asOfRoom.hidden = !board || board.hidden;
    if (board && !board.hidden) asOf.textContent = at(board.asOf);
    const next = board && board.next && !board.final ? words.next.replace("{when}", at(board.next)) : "";
    note.textContent = board && board.frozen ? words.frozen : next;
    tick();
  };
}
