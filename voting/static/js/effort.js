// Proves a little effort while the citizen is reading. Where that cannot be, the small question on the page stays and
// is answered by hand; without script there is only the question.
const PATIENCE_MS = 6000; // then the question is offered too
const GOOD_FOR_MS = 270000; // the server says five minutes

export function followChallenge() {
  const box = document.querySelector("[data-challenge]");
  if (!box || !window.Worker || !window.fetch || !window.isSecureContext) return;
  const form = box.closest("form");
  const field = form.elements.effort;
  const answer = form.elements.answer;
  const state = box.querySelector("[data-state]");
  const question = box.querySelector("[data-question]");
  let asked = 0;
  let held = null;

  const ask = (visible) => {
    question.hidden = !visible;
    answer.required = visible;
  };
  const say = (words) => {
    state.hidden = !words;
    state.textContent = words;
  };

  function failed() {
    say("");
    ask(true);
    if (held) answer.focus();
    held = null;
  }

  function solved(challenge, solution) {
    field.value = btoa(JSON.stringify({ challenge, solution }));
    ask(false);
    say(box.dataset.done);
    if (held) held.click();
    held = null;
  }

  function begin() {
    const mine = ++asked;
    field.value = "";
    ask(false);
    say(box.dataset.wait);
    // A poor phone goes on computing, and its owner may answer meanwhile.
    setTimeout(() => mine === asked && !field.value && ask(true), PATIENCE_MS);
    setTimeout(() => mine === asked && begin(), GOOD_FOR_MS);
    fetch(box.dataset.challenge, { cache: "no-store", credentials: "same-origin" })
      .then((response) => (response.ok ? response.json() : Promise.reject(response.status)))
      .then((challenge) => {
        const worker = new Worker(box.dataset.worker);
        const end = (solution) => {
          worker.terminate();
          if (mine !== asked) return;
          if (solution && solution.derivedKey) solved(challenge, solution);
          else failed();
        };
        worker.onmessage = (event) => end(event.data);
        worker.onerror = () => end(null);
        worker.postMessage({ type: "work", challenge, counterStart: 0, counterStep: 1 });
      })
      .catch(() => mine === asked && failed());
  }

  // A tap that comes before the solution is kept until it is there; the question is not asked again of who answered it.
  form.addEventListener("submit", (event) => {
    if (field.value || answer.value.trim()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held = form.querySelector("button:not([type=button])");
  });
  // Back from the receipt or from sleep: the old solution is spent or too old.
  window.addEventListener("pageshow", (event) => event.persisted && begin());
  begin();
}
