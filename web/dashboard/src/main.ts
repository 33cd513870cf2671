import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { theme } from "./state/theme.svelte";

theme.show();
mount(App, { target: document.getElementById("page")! });
