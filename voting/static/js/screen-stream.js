// The event stream: pictures come in, the state of the line is told, and what breaks comes back by itself.
const SILENT_MS = 40000;
const LONGEST_WAIT_MS = 15000;

export function followStream(address, words, show) {
  const line = document.querySelector("[data-line]");
  let source = null;
  let waited = 0;
  let watch = 0;

  function tell(state) {
    if (line.dataset.line === state) return;
    line.dataset.line = state;
    line.lastElementChild.textContent = words[state];
  }

  // A half-open line is silent for ever: beats come every 15 s at the latest.
  function heard() {
    waited = 0;
    clearTimeout(watch);
    watch = setTimeout(again, SILENT_MS);
  }

  function again() {
    if (source) source.close();
    tell("lost");
    clearTimeout(watch);
    // Screens that were cut off together come back a little apart.
    waited = Math.min(Math.max(1000, waited * 2), LONGEST_WAIT_MS);
    watch = setTimeout(connect, waited * (0.5 + Math.random() / 2));
  }

  function connect() {
    source = new EventSource(address);
    watch = setTimeout(again, SILENT_MS);
    source.addEventListener("beat", heard);
    source.addEventListener("source", (event) => {
      heard();
      tell(event.data === "up" ? "live" : "source");
    });
    source.addEventListener("picture", (event) => {
      heard();
      show(JSON.parse(event.data));
    });
    source.onerror = () => {
      tell("lost");
      // The browser tries again by itself after a broken line, but not after an answer such as 502.
      if (source.readyState === EventSource.CLOSED) again();
    };
  }

  connect();
}
