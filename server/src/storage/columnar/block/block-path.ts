// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Tenant } from '@spoor/core/model/ids.ts';

/** Directory of the tenants' directories, in a data directory. */
export const TENANTS_DIR = 'tenants';

/** File of a block: `DIR/tenants/TENANT/0000000001.block`. */
export function blockPath(dir: string, tenant: Tenant, id: number): string {
  return join(dir, TENANTS_DIR, tenant, `${id.toString().padStart(10, '0')}.block`);
}

/** File with what the blocks of a tenant change in the traces that they share: `DIR/tenants/TENANT/overlaps`. */
export function overlapsPath(dir: string, tenant: Tenant): string {
  return join(dir, TENANTS_DIR, tenant, 'overlaps');
}
