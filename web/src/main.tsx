import { applyMode, Mode } from "@cloudscape-design/global-styles";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./portal/app";
import "virtual:theme.css";
import "./portal/portal.css";

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => applyMode(dark.matches ? Mode.Dark : Mode.Light);
follow();
dark.addEventListener("change", follow);

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no place for the portal");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
