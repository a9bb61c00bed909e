// SPDX-License-Identifier: Apache-2.0
// For `npm test`: property tests have lists and texts as long as they say. Where they name a greatest length, fast-check would make
// none of more than some ten, and what only happens in longer ones would not be tested.
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), defaultSizeToMaxWhenMaxSpecified: true });
