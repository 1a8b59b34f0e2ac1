// Times as people write them on a paper sheet. courses/attendance/paper/entry.py reads them by the same rule.

const TIME = /^(\d{1,2})[:：.．时點点h ](\d{1,2})分?$|^(\d{1,2})(\d{2})$|^(\d{1,2})[时點点]?$/u;

/** "09:02" for 9:02, 0902, 902, 9.02, 9点02分 or 9, in digits of any width; "" for an empty field; null for no time. */
export function timeIn(text) {
  const narrow = text.trim().replace(/[０-９]/gu, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xfee0));
  if (!narrow) return "";
  const [hour, minute = "0"] = (narrow.match(TIME) ?? []).slice(1).filter((part) => part !== undefined);
  if (hour === undefined || Number(hour) > 23 || Number(minute) > 59) return null;
  return `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
}

/**
 * The cells of a text that was copied from a spreadsheet, row by row; a time there may have seconds, which are left
 * out.
 */
export function pastedCells(text) {
  return text.replace(/\r?\n$/u, "").split(/\r?\n/u).map((row) => (
    row.split("\t").map((cell) => cell.trim().replace(/^(\d{1,2}:\d{2}):\d{2}$/u, "$1"))
  ));
}
