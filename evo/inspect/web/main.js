// The page: loads its data and draws it.
import { $, load } from "./tools.js";
import { theme } from "./theme.js";
import { start } from "./view.js";

theme();
load(JSON.parse($("data").textContent));
start();
