// The page: what lies in it is loaded, and drawn.
import { $, load } from "./tools.js";
import { theme } from "./theme.js";
import { start } from "./view.js";

theme();
load(JSON.parse($("data").textContent));
start();
