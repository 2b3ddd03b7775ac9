/** task-lib, loaded in silence. The order of these lines matters: imports are evaluated in it. */

import { unmute } from './silence';
import * as tl from 'azure-pipelines-task-lib/task';

unmute();

export { tl };
