// Dialogs of the session page: a double tap does not reach through them, and they give the focus back.
import { ignoreSecondTap } from "./second_tap.js";

function canTakeFocus(element) {
  return Boolean(element && element.getClientRects().length);
}

/**
 * Open a dialog. When it is closed, the focus goes back to `opener`, or to what `instead` returns where the opener
 * is not there any more. Nothing happens where the dialog is open already.
 */
export function openDialog(dialog, opener, instead = () => null) {
  if (dialog.open) return;
  dialog.showModal();
  ignoreSecondTap();
  dialog.addEventListener("close", () => {
    ignoreSecondTap();
    const target = canTakeFocus(opener) ? opener : instead();
    if (canTakeFocus(target)) target.focus({ preventScroll: true });
  }, { once: true });
}
