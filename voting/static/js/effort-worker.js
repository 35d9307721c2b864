// Entry of a worker of its own: ALTCHA's solver, from the package, in a file of ours, so that the content policy needs
// neither blob: nor inline script.
import "altcha/workers/pbkdf2";
