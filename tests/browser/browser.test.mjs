// Both pages in a real browser, against a running installation with footage.
//
// The environment says where it is: CLOUDCAM_URL, CLOUDCAM_LOGIN, CLOUDCAM_PASSWORD; optionally CLOUDCAM_CAMERA
// (name of the camera to watch: at least one gap and one border between objects) and CLOUDCAM_SCREENSHOTS (a
// folder). One file, so that the machine decodes one video at a time.

import './parts/player.mjs';
import './parts/panel.mjs';
import './parts/jobs.mjs';
import './parts/orders.mjs';
import './parts/nodes.mjs';
import './parts/ledger.mjs';
import './parts/access.mjs';
import './parts/licences.mjs';
import './parts/organizations.mjs';
import './parts/audit.mjs';
import './parts/keys.mjs';
import './parts/import.mjs';
import './parts/people.mjs';
import './parts/docs.mjs';
