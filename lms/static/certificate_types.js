// The signed table of certificate types and issuing units, which say in words what the numbers of a code mean.
// certificates/verification/type_table.py is the same in Python.
import { readSigned } from "./offline_verification.js";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/**
 * A published table: {types, units, scheme}, by number. Throws where it was not signed with one of the keys.
 */
export async function readTypes({ protected: head, payload, signature }, keys) {
  const { types, units, numberScheme } = await readSigned([head, payload, signature], keys);
  return {
    types: new Map(types.map((type) => [type.number, type])),
    units: new Map(units.map((unit) => [unit.number, unit.name])),
    scheme: numberScheme,
  };
}

/** The ISO/IEC 7064 MOD 37,36 check character of digits and capital letters. */
function checkCharacter(text) {
  let product = 36;
  for (const character of text) {
    const total = (product + ALPHABET.indexOf(character)) % 36 || 36;
    product = (total * 2) % 37;
  }
  return ALPHABET[(37 - product) % 36];
}

/** The certificate number of a code, or null where the table does not know its type. */
function numberOf({ type, serial, issued }, { types, scheme }) {
  const known = types.get(type);
  if (!known) return null;
  const figures = String(serial).padStart(scheme.width, "0");
  const stem = [scheme.branch, known.programme.shortCode, issued.slice(0, 4), figures];
  return [...stem, checkCharacter(stem.join(""))].join("-");
}

/**
 * What was signed, in words: {type, unit, number}, each null where the table does not know it. `table` is null where
 * there is none. `language` is "zh" or "en".
 */
export function describe(payload, table, language) {
  if (!table) return { type: null, unit: null, number: null };
  const known = table.types.get(payload.type);
  const unit = table.units.get(payload.unit);
  return {
    type: known ? `${known.name[language]} · ${known.programme[language]}` : null,
    unit: unit ? unit[language] : null,
    number: numberOf(payload, table),
  };
}
