// The rows: which award and page has its turn, and how rows glide to their new places. At most one move in two seconds.
const EVERY_MS = 2000;
const GLIDE_MS = 900;
const TURN_MS = { 10: 12000, 100: 30000 };
const FIRST_PAGE_TURNS = 2;
const FIELDS = ["id", "number", "name", "place", "rank", "votes", "tied", "outcome"];

export function showBoard(words) {
  const { awards: keysText, rows: sizeText, lang } = document.body.dataset;
  const keys = JSON.parse(keysText);
  const size = Number(sizeText);
  const list = document.querySelector("[data-entries]");
  const blank = document.getElementById("entry").content.firstElementChild;
  const tabs = [...document.querySelectorAll(".tab")];
  const pages = document.querySelector("[data-pages]");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const figures = new Intl.NumberFormat(lang);
  let board = null;
  let award = 0;
  let page = 0;
  let drawnAt = 0;
  let later = 0;

  const rowsOf = (at) => {
    const found = board.awards.find((one) => one.key === keys[at]);
    return found ? found.rows : [];
  };
  const pagesOf = (at) => Math.max(1, Math.ceil(rowsOf(at).length / size));

  function fill(entry, row, best) {
    const medal = row.rank <= 3 && row.votes > 0;
    entry.className = medal ? `entry entry-${row.rank}` : "entry";
    entry.dataset.id = row.id;
    const put = (selector, text) => {
      const part = entry.querySelector(selector);
      if (part.textContent !== text) part.textContent = text;
      return part;
    };
    put("[data-sr]", words.rank.replace("{rank}", row.rank));
    put(".medal text", String(row.rank));
    entry.querySelector(".medal").toggleAttribute("hidden", !medal);
    put(".entry-place", String(row.rank)).hidden = medal;
    put(".entry-name", row.name);
    const number = words.number.replace("%(number)s", String(row.number).padStart(2, "0"));
    put(".entry-about", row.place ? `${number} · ${row.place}` : number);
    const outcome = { selected: words.selected, tie_at_last_seat: words.undecided }[row.outcome];
    put(".entry-mark", outcome || (row.tied ? words.tied : ""));
    put(".entry-votes b", figures.format(row.votes));
    put(".entry-votes small", ` ${words.votes}`);
    entry.querySelector("rect").setAttribute("width", `${((100 * row.votes) / best).toFixed(1)}%`);
  }

  // First, last, invert, play: rows are put where they belong, then shown moving there from where they were.
  function draw(glide) {
    drawnAt = Date.now();
    const all = rowsOf(award).map((row) => Object.fromEntries(FIELDS.map((name, at) => [name, row[at]])));
    const best = Math.max(1, all.length ? all[0].votes : 1);
    const rows = all.slice(page * size, (page + 1) * size);
    const before = new Map([...list.children].map((entry) => [entry.dataset.id, entry]));
    const moving = glide && !calm.matches && !document.hidden;
    const was = new Map(moving ? [...before].map(([id, entry]) => [id, entry.getBoundingClientRect()]) : []);
    const now = rows.map((row) => {
      const entry = before.get(String(row.id)) || blank.cloneNode(true);
      fill(entry, row, best);
      return entry;
    });
    list.replaceChildren(...now);
    if (moving) now.forEach((entry) => slide(entry, was.get(entry.dataset.id)));
    tabs.forEach((tab, at) => tab.toggleAttribute("data-current", at === award));
    const from = page * size + 1;
    const said = { from, to: Math.min(from + size - 1, all.length), total: all.length };
    pages.textContent = pagesOf(award) > 1 ? words.pages.replace(/\{(\w+)\}/g, (_, name) => figures.format(said[name])) : "";
  }

  function slide(entry, from) {
    const to = entry.getBoundingClientRect();
    const how = { duration: GLIDE_MS, easing: "cubic-bezier(0.22, 0.8, 0.3, 1)" };
    if (!from) {
      entry.animate([{ opacity: 0 }, { opacity: 1 }], how);
    } else if (from.top !== to.top || from.left !== to.left) {
      const move = `translate(${from.left - to.left}px, ${from.top - to.top}px)`;
      // Who rises passes in front of who falls.
      const zIndex = from.top > to.top ? 2 : 1;
      entry.animate([{ transform: move, zIndex }, { transform: "none", zIndex }], how);
    }
  }

  function soon() {
    if (later) return;
    later = setTimeout(() => {
      later = 0;
      draw(true);
    }, Math.max(0, drawnAt + EVERY_MS - Date.now()));
  }

  function turn() {
    let wait = TURN_MS[size];
    if (board && !board.hidden) {
      page += 1;
      if (page >= pagesOf(award)) {
        page = 0;
        award = (award + 1) % keys.length;
      }
      if (pagesOf(award) > 1 || keys.length > 1) draw(true);
      if (page === 0) wait *= FIRST_PAGE_TURNS;
    }
    setTimeout(turn, wait);
  }

  function totals() {
    document.querySelector("[data-totals]").hidden = board.hidden;
    for (const name of ["votes", "ballots"]) {
      document.querySelector(`[data-total="${name}"]`).textContent = board.hidden ? "" : figures.format(board[name]);
    }
  }

  setTimeout(turn, TURN_MS[size] * FIRST_PAGE_TURNS);
  return (picture) => {
    // Without figures the last good ones stay.
    if (!picture.board) return;
    const first = board === null;
    board = picture.board;
    document.querySelector("[data-hidden]").hidden = !board.hidden;
    document.querySelector("[data-waiting]").hidden = true;
    totals();
    if (board.hidden) {
      list.replaceChildren();
      pages.textContent = "";
    } else if (first) draw(false);
    else soon();
  };
}
