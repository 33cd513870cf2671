import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { orderOf } from "./list/listed";
import { listing } from "./list/listing.svelte";
import { route } from "./state/route.svelte";
import { theme } from "./state/theme.svelte";

theme.show();
// Rows are on their way while what shows them is.
if (route.place.screen === "issues") void listing.show(route.get("q"), orderOf(route.get("order")));
mount(App, { target: document.getElementById("page")! });
