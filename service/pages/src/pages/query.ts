/** The query page with scripts. */
import europe from "outlines:europe";
import world from "outlines:world";
document.documentElement.dataset.outlines = `${europe} ${world}`;
