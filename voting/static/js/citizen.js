// Entry of the citizens' script. Every page works without it; it only spares reloads and remembers what was chosen.
import { followBallot } from "./ballot.js";
import { followBoard } from "./board.js";
import { followSelection } from "./selection.js";

followSelection();
followBallot();
followBoard();
