// Entry of the citizens' script. Every page works without it; it only spares reloads and remembers what was chosen.
import { followBallot } from "./ballot.js";
import { followBoard } from "./board.js";
import { followChallenge } from "./effort.js";
import { followSelection } from "./selection.js";
import { offerCard } from "./share.js";

followSelection();
followChallenge(); // before the ballot's own handler: it may have to hold the ballot back
followBallot();
followBoard();
offerCard();
