// The online pages of verification: the next code that is scanned is answered without a network, too.
import { keepOffline } from "./keep_offline.js";

// Somebody who pays for each megabyte asked for this page alone.
if (!navigator.connection?.saveData) keepOffline(document.documentElement.lang, false);
