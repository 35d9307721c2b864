// The leaderboard, brought up to date while somebody looks: every few seconds, or every minute where the rules show counts
// of a past instant (data-live says how many seconds). "Not changed" costs a few bytes; when the
// server does not answer, the last good rows stay with the time they are true for.
const SLOW_MS = 30000;

export function followBoard() {
  const rows = document.querySelector("[data-rows][data-live]");
  if (!rows || !window.fetch) return;
  const everyMs = 1000 * (Number(rows.dataset.live) || 5);
  let etag = "";
  let timer = 0;

  const later = (wait) => {
    clearTimeout(timer);
    // A little apart, so that phones that opened the page together do not ask together.
    timer = setTimeout(look, wait + Math.random() * 1000);
  };

  async function look() {
    if (document.hidden) return;
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const answer = await fetch(rows.dataset.rows, { headers, cache: "no-store" });
      if (answer.status === 200) {
        const html = await answer.text();
        // The reader's place is kept: a row with the focus is not replaced under the finger.
        if (!rows.contains(document.activeElement)) {
          rows.innerHTML = html;
          etag = answer.headers.get("ETag") || "";
        }
      } else if (answer.status === 304) {
        const time = rows.querySelector("[data-as-of]");
        const asOf = answer.headers.get("X-Counts-As-Of");
        if (time && asOf) time.textContent = asOf;
      }
      later(answer.ok || answer.status === 304 ? everyMs : Math.max(everyMs, SLOW_MS));
    } catch (error) {
      later(SLOW_MS);
    }
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : later(0)));
  later(everyMs);
}
