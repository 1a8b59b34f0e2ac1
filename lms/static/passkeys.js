// Makes a passkey (`data-passkeys="add"`) or uses one (`data-passkeys="use"`), and goes on to the page that the server
// names. Whatever goes wrong is said in words, and the button can be pressed again.
import { creationOptions, credentialJson, requestOptions, troubleOf } from "./passkey_data.js";

const ANSWER_MS = 20000;
const place = document.querySelector("[data-passkeys]");
const { dataset } = place;
const button = place.querySelector("[data-passkey-button]");
const trouble = place.querySelector("[data-passkey-trouble]");

/** A refusal of the server, which says why in the reader's language. */
class Refused extends Error {}

function say(text) {
  trouble.textContent = text;
  trouble.hidden = !text;
}

async function post(address, body) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), ANSWER_MS);
  let answer;
  try {
    answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": dataset.token },
      body: JSON.stringify(body),
      cache: "no-store",
      redirect: "error",
      signal: abort.signal,
    });
  } catch {
    throw new Refused(dataset.textOffline);
  } finally {
    clearTimeout(timer);
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(content.detail ?? dataset.textFailed);
  return content;
}

/** The browser's dialogue; what it gives, as JSON. */
async function ceremony(options) {
  const credential = dataset.passkeys === "add"
    ? await navigator.credentials.create({ publicKey: creationOptions(options) })
    : await navigator.credentials.get({ publicKey: requestOptions(options) });
  return credentialJson(credential);
}

const textOfTrouble = (name) => dataset[`text${name[0].toUpperCase()}${name.slice(1)}`];

async function run() {
  button.disabled = true;
  say("");
  try {
    const credential = await ceremony(await post(dataset.options, {}));
    const name = place.querySelector("[name=name]")?.value;
    const remember = place.querySelector("[name=remember]")?.checked ?? false;
    const { next } = await post(dataset.answer, { credential, name, remember });
    location.assign(next);
  } catch (error) {
    say(error instanceof Refused ? error.message : textOfTrouble(troubleOf(error)));
    button.disabled = false;
  }
}

if (window.PublicKeyCredential && navigator.credentials) {
  button.hidden = false;
  button.addEventListener("click", run);
} else say(dataset.textMissing);
