// The wizard's phone follows what is typed: the form is sent for a preview, which saves nothing, and the phone of the
// answer takes the place of the one on the page. Without this there is a button that does the same.

const form = document.querySelector("form[data-wizard]");
const PAUSE_MS = 600;
let timer = 0;
let asked = 0;

async function refresh() {
  const mine = ++asked;
  const body = new FormData(form);
  body.set("preview", "1");
  try {
    const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "error" });
    // 422: something is half typed; the phone waits until it can stand.
    if (!answer.ok || mine !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("#phone");
    const old = document.querySelector("#phone");
    if (!fresh || !old) return;
    const place = old.querySelector(".phone").scrollTop;
    old.replaceChildren(...fresh.childNodes);
    old.querySelector(".phone").scrollTop = place;
  } catch {
    // The page stays as it is; saving will say what is wrong.
  }
}

if (form) {
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, PAUSE_MS);
  });
}
