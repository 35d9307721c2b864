// What a citizen has chosen, kept in this browser beside the query, so that it also survives plain links and a closed tab.
// Where both are there, this browser's memory is right: it hears of every tap, an old address in the history does not.
const DAY_MS = 86400000;
const slug = document.body.dataset.slug;
const page = document.body.dataset.page;
const KEY = `chosen:${slug}`;

// [[candidate id, award key], …], or null when nothing is remembered.
function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return kept && Array.isArray(kept.chosen) && Date.now() - kept.at < DAY_MS ? kept.chosen : null;
  } catch (error) {
    return null; // private mode, storage switched off or another's data: the query still carries the set
  }
}

function remember(chosen) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ at: Date.now(), chosen }));
  } catch (error) {
    // As above.
  }
}

const fields = (form) => [...form.querySelectorAll("input[name=choice]")];
const pair = (field) => [field.value, field.dataset.award];
const steppers = () => document.querySelectorAll("[data-stepper]");
const isBox = (field) => field.type === "checkbox";

function shown(form) {
  return fields(form).filter((field) => !isBox(field) || field.checked).map(pair);
}

// Make the form say exactly `chosen`: ticked boxes for what is on the page, hidden fields for the rest.
function show(form, chosen) {
  const left = chosen.slice();
  for (const field of fields(form)) {
    if (isBox(field)) {
      const at = left.findIndex((one) => one[0] === field.value);
      field.checked = at >= 0;
      if (at >= 0) left.splice(at, 1);
    } else {
      field.remove();
    }
  }
  for (const step of steppers()) {
    const times = chosen.filter((one) => one[0] === step.dataset.stepper).length;
    step.querySelector("[data-times]").textContent = times;
    step.querySelector("[data-drop]").disabled = !times;
    step.querySelector("[data-add]").disabled = step.dataset.most !== undefined && times >= Number(step.dataset.most);
    step.parentNode.classList.toggle("card-chosen", times > 0);
  }
  for (const one of left) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "choice", value: one[0] });
    field.dataset.award = one[1];
    form.append(field);
  }
}

function count(chosen) {
  const of = (award) => chosen.filter((one) => one[1] === award).length;
  for (const tab of document.querySelectorAll("[data-tab]")) tab.textContent = of(tab.dataset.tab);
  const bar = document.querySelector("[data-count]");
  if (!bar) return;
  const number = of(bar.dataset.award);
  bar.querySelector("[data-chosen]").textContent = number;
  const note = bar.querySelector("[data-note]");
  if (note.dataset.calm === undefined) note.dataset.calm = "over" in note.dataset ? "" : note.textContent;
  const over = bar.dataset.cap ? number - Number(bar.dataset.cap) : 0;
  if (over > 0) note.dataset.over = "";
  else delete note.dataset.over;
  note.textContent = over > 0 ? bar.dataset.overText.split("{n}").join(over) : note.dataset.calm;
}

// The candidate's own page has one button instead of a box.
function showOne(form, chosen) {
  const id = form.dataset.one;
  if (!id) return;
  const within = chosen.some((one) => one[0] === id);
  form.querySelector("[data-add]").hidden = within;
  form.querySelector("[data-added]").hidden = !within;
}

function press(form, button) {
  const chosen = remembered() || shown(form);
  const id = button.value;
  if (button.name === "add") chosen.push([id, awardOf(form, button)]);
  const at = button.name === "drop" ? chosen.findIndex((one) => one[0] === id) : -1;
  if (at >= 0) chosen.splice(at, 1);
  remember(chosen);
  return chosen;
}

function awardOf(form, button) {
  const near = button.closest("[data-award]");
  const field = near || fields(form).find((one) => one.value === button.value);
  return field ? field.dataset.award : "";
}

function forget(ids) {
  remember((remembered() || []).filter((one) => !ids.includes(one[0])));
}

function afterVote() {
  forget([...document.querySelectorAll("[data-voted]")].map((line) => line.dataset.voted));
}

export function followSelection() {
  if (!slug) return;
  if (page === "receipt") {
    afterVote();
    return;
  }
  const blocked = document.body.dataset.blocked;
  if (blocked) forget(blocked.split(" "));
  const form = document.getElementById("pick");
  const edit = document.querySelector("[data-edit]");
  // The review page shows what its address says, for that is what will be sent; it only passes changes on.
  if (edit) {
    document.addEventListener("click", (event) => {
      const button = event.target.closest("button[name=add], button[name=drop]");
      if (button && button.form === edit) press(edit, button);
    });
  }
  if (!form) return;
  // Who has been voted for cannot be chosen again: the page says so, and no old choice lingers unseen.
  const spent = [...form.querySelectorAll("[data-spent]")].map((card) => card.dataset.spent);
  const refresh = () => {
    if (spent.length) forget(spent);
    const chosen = remembered() || shown(form);
    show(form, chosen);
    showOne(form, chosen);
    count(chosen);
  };
  // The server left out who has withdrawn; so does our memory.
  if ("lost" in form.dataset) remember(shown(form));
  refresh();
  // Browsers put back ticks of their own after a reload or a step back: ours come last.
  window.addEventListener("pageshow", refresh);
  window.addEventListener("storage", (event) => event.key === KEY && refresh());
  form.addEventListener("change", (event) => {
    if (event.target.name !== "choice") return;
    const chosen = shown(form);
    remember(chosen);
    count(chosen);
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=add], button[name=drop]");
    const step = button && button.closest("[data-stepper]");
    if (!button || !(form.dataset.one || step)) return;
    event.preventDefault();
    const chosen = press(form, button);
    show(form, chosen);
    showOne(form, chosen);
    count(chosen);
    // A button that has just gone must not take the focus with it.
    if (!step || button.disabled) (step || form).querySelector(button.name === "add" ? "[data-drop]" : "[data-add]").focus();
  });
}
