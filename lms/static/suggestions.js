// Offers names while one is typed, from the address that the field's list names. Without it, the whole name is typed.
const WAIT_MS = 200;

async function offer(field, list) {
  const text = field.value.trim();
  if (!text || text === list.dataset.asked) return;
  list.dataset.asked = text;
  try {
    const address = `${list.dataset.address}?text=${encodeURIComponent(text)}`;
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok || text !== field.value.trim()) return;
    const names = await answer.json();
    list.replaceChildren(...names.map((name) => Object.assign(document.createElement("option"), { value: name })));
  } catch {
    list.dataset.asked = "";
  }
}

for (const field of document.querySelectorAll("input[data-suggest]")) {
  const { list } = field;
  if (list?.dataset.address) { // without an address the names are few enough to be on the page
    let timer;
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => offer(field, list), WAIT_MS);
    });
  }
}
