/** task-lib, loaded with standard output muted. The order of these lines matters: imports are evaluated in it. */

import { unmuteStdout } from './muted-stdout';
import * as tl from 'azure-pipelines-task-lib/task';

unmuteStdout();

export { tl };
