// SPDX-License-Identifier: Apache-2.0

/** How a service is called, which decides the attributes of the spans around it. */
type ShopProtocol = 'http' | 'grpc' | 'postgresql' | 'valkey' | 'kafka';

/** An instrumentation library: the scope of spans. */
export interface ShopLibrary {
  readonly name: string;
  readonly version: string;
}

/** A service of the shop as it is written down here. */
export interface ShopServiceSpec {
  readonly name: string;
  /** `telemetry.sdk.language`. */
  readonly language: string;
  readonly protocol: ShopProtocol;
  readonly instances: number;
  readonly port: number;
  /** Full name of its gRPC service; empty for other protocols. */
  readonly grpcService: string;
  /** Makes the spans of calls in and out. */
  readonly library: ShopLibrary;
  /** Names of its INTERNAL spans, made by a scope with the name of the service. */
  readonly internals: readonly string[];
}

/** What a service does for a caller. */
export interface ShopOperationSpec {
  readonly service: string;
  /** `GET /route` for HTTP, a method for gRPC, `SELECT table` or a command for stores, a topic for Kafka. */
  readonly name: string;
  /** Median of the time it spends itself, µs. */
  readonly selfMicros: number;
  /** `service/name` of what it calls, in order; `kafka:topic` publishes. */
  readonly calls: readonly string[];
  /** True where the span names the order. */
  readonly order: boolean;
}

function service(
  name: string,
  language: string,
  protocol: ShopProtocol,
  instances: number,
  port: number,
  grpcService: string,
  [library, version]: readonly [string, string],
  internals: readonly string[],
): ShopServiceSpec {
  return {
    name,
    language,
    protocol,
    instances,
    port,
    grpcService,
    library: { name: library, version },
    internals,
  };
}

function operation(
  service: string,
  name: string,
  selfMicros: number,
  calls: string,
  order = false,
): ShopOperationSpec {
  return {
    service,
    name,
    selfMicros,
    calls: calls === '' ? [] : calls.split(', '),
    order,
  };
}

const OTEL_GO_GRPC = [
  'go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc',
  '0.63.0',
] as const;
const OTEL_JAVA_KAFKA = ['io.opentelemetry.kafka-clients-2.6', '2.20.1-alpha'] as const;

/** 16 services with 38 instances. */
export const SHOP_SERVICES: readonly ShopServiceSpec[] = [
  service(
    'storefront',
    'nodejs',
    'http',
    4,
    8080,
    '',
    ['@opentelemetry/instrumentation-http', '0.205.0'],
    ['render page', 'load session', 'compose layout'],
  ),
  service('catalog', 'go', 'grpc', 4, 9001, 'shop.v1.CatalogService', OTEL_GO_GRPC, [
    'rank products',
  ]),
  service(
    'search',
    'java',
    'http',
    2,
    8081,
    '',
    ['io.opentelemetry.tomcat-10.0', '2.20.1-alpha'],
    ['parse query', 'score hits'],
  ),
  service(
    'basket',
    'dotnet',
    'grpc',
    3,
    9002,
    'shop.v1.BasketService',
    ['OpenTelemetry.Instrumentation.AspNetCore', '1.12.0'],
    ['merge lines'],
  ),
  service(
    'pricing',
    'rust',
    'grpc',
    2,
    9003,
    'shop.v1.PricingService',
    ['opentelemetry-tonic', '0.30.0'],
    ['apply discounts'],
  ),
  service(
    'orders',
    'java',
    'grpc',
    3,
    9004,
    'shop.v1.OrderService',
    ['io.opentelemetry.grpc-1.6', '2.20.1-alpha'],
    ['validate order', 'reserve number'],
  ),
  service('payments', 'go', 'grpc', 2, 9005, 'shop.v1.PaymentService', OTEL_GO_GRPC, [
    'check card',
    'risk score',
  ]),
  service(
    'inventory',
    'python',
    'grpc',
    2,
    9006,
    'shop.v1.InventoryService',
    ['opentelemetry.instrumentation.grpc', '0.58b0'],
    ['pick location'],
  ),
  service('identity', 'go', 'grpc', 2, 9007, 'shop.v1.IdentityService', OTEL_GO_GRPC, [
    'verify signature',
  ]),
  service(
    'recommender',
    'python',
    'grpc',
    2,
    9008,
    'shop.v1.RecommenderService',
    ['opentelemetry.instrumentation.grpc', '0.58b0'],
    ['load model', 'nearest neighbours'],
  ),
  service(
    'shipping',
    'ruby',
    'http',
    2,
    8082,
    '',
    ['OpenTelemetry::Instrumentation::Rack', '0.27.1'],
    ['quote carriers'],
  ),
  service(
    'mailer',
    'php',
    'kafka',
    1,
    9092,
    '',
    ['io.opentelemetry.contrib.php.kafka', '1.3.0'],
    ['render template'],
  ),
  service('warehouse', 'java', 'kafka', 2, 9092, '', OTEL_JAVA_KAFKA, ['plan picking']),
  service('audit', 'java', 'kafka', 1, 9092, '', OTEL_JAVA_KAFKA, ['append entry']),
  service(
    'postgresql',
    'cpp',
    'postgresql',
    3,
    5432,
    '',
    ['pg_tracing', '0.1.3'],
    ['plan', 'execute'],
  ),
  service('valkey', 'cpp', 'valkey', 3, 6379, '', ['valkey-otel', '1.2.0'], ['lookup']),
];

/** Everything the services do; with their client and internal spans about 70 span names. */
export const SHOP_OPERATIONS: readonly ShopOperationSpec[] = [
  operation(
    'storefront',
    'GET /',
    2600,
    'identity/Verify, catalog/ListFeatured, recommender/Recommend, pricing/Quote, basket/GetBasket',
  ),
  operation(
    'storefront',
    'GET /products/{id}',
    2100,
    'catalog/GetProduct, pricing/Quote, inventory/CheckStock, recommender/Recommend, basket/GetBasket, identity/Verify',
  ),
  operation(
    'storefront',
    'GET /search',
    1900,
    'search/GET /v1/query, pricing/Quote, identity/Verify, catalog/GetProduct',
  ),
  operation(
    'storefront',
    'GET /basket',
    1700,
    'identity/Verify, basket/GetBasket, pricing/Quote, shipping/POST /v2/quotes, catalog/GetProduct',
  ),
  operation(
    'storefront',
    'POST /basket/items',
    1300,
    'identity/Verify, basket/AddItem, inventory/CheckStock, basket/GetBasket',
  ),
  operation(
    'storefront',
    'POST /orders',
    3600,
    'identity/Verify, orders/PlaceOrder, basket/GetBasket, recommender/Recommend',
    true,
  ),
  operation(
    'storefront',
    'GET /orders/{id}',
    1500,
    'identity/Verify, orders/GetOrder, shipping/GET /v2/parcels/{id}, catalog/GetProduct',
  ),
  operation(
    'storefront',
    'POST /login',
    1200,
    'identity/SignIn, basket/GetBasket, valkey/SET, recommender/Recommend',
  ),
  operation(
    'catalog',
    'ListFeatured',
    1300,
    'valkey/GET, postgresql/SELECT products, pricing/Quote',
  ),
  operation('catalog', 'GetProduct', 500, 'valkey/GET, postgresql/SELECT products'),
  operation(
    'search',
    'GET /v1/query',
    3200,
    'valkey/GET, catalog/GetProduct, kafka:search-events, postgresql/SELECT synonyms, valkey/SET',
  ),
  operation(
    'basket',
    'GetBasket',
    600,
    'valkey/HGETALL, catalog/GetProduct, valkey/EXPIRE, kafka:basket-events',
  ),
  operation('basket', 'AddItem', 900, 'valkey/HSET, valkey/EXPIRE, kafka:basket-events'),
  operation('basket', 'Clear', 400, 'valkey/DEL, kafka:basket-events'),
  operation('pricing', 'Quote', 300, 'valkey/GET, postgresql/SELECT prices'),
  operation(
    'orders',
    'PlaceOrder',
    4600,
    'inventory/Reserve, payments/Charge, kafka:orders, postgresql/INSERT orders, basket/GetBasket, pricing/Quote, shipping/POST /v2/quotes, basket/Clear',
    true,
  ),
  operation('orders', 'GetOrder', 700, 'postgresql/SELECT orders, valkey/GET', true),
  operation(
    'payments',
    'Charge',
    7600,
    'postgresql/INSERT payments, valkey/GET, identity/Verify',
    true,
  ),
  operation('inventory', 'CheckStock', 450, 'valkey/GET, postgresql/SELECT stock'),
  operation('inventory', 'Reserve', 2100, 'kafka:stock-changes, postgresql/UPDATE stock', true),
  operation('identity', 'Verify', 280, 'valkey/GET'),
  operation('identity', 'SignIn', 2400, 'postgresql/SELECT users, valkey/SET'),
  operation('recommender', 'Recommend', 2900, 'catalog/GetProduct, valkey/GET'),
  operation('shipping', 'POST /v2/quotes', 1800, 'postgresql/SELECT carriers, valkey/GET'),
  operation('shipping', 'GET /v2/parcels/{id}', 1400, 'postgresql/SELECT parcels', true),
  operation('mailer', 'orders', 9000, 'postgresql/SELECT users, valkey/GET', true),
  operation(
    'warehouse',
    'stock-changes',
    5200,
    'postgresql/UPDATE stock, shipping/POST /v2/quotes, inventory/CheckStock',
    true,
  ),
  operation('audit', 'basket-events', 1200, 'postgresql/INSERT audit_log', true),
  operation('audit', 'search-events', 900, 'postgresql/INSERT audit_log, valkey/SET'),
  operation('postgresql', 'SELECT products', 1600, ''),
  operation('postgresql', 'SELECT prices', 800, ''),
  operation('postgresql', 'SELECT users', 1000, ''),
  operation('postgresql', 'SELECT orders', 1400, ''),
  operation('postgresql', 'SELECT stock', 700, ''),
  operation('postgresql', 'SELECT synonyms', 1100, ''),
  operation('postgresql', 'SELECT carriers', 900, ''),
  operation('postgresql', 'SELECT parcels', 1200, ''),
  operation('postgresql', 'INSERT orders', 3000, ''),
  operation('postgresql', 'INSERT payments', 2700, ''),
  operation('postgresql', 'INSERT audit_log', 2200, ''),
  operation('postgresql', 'UPDATE stock', 2500, ''),
  operation('valkey', 'GET', 80, ''),
  operation('valkey', 'SET', 100, ''),
  operation('valkey', 'HGETALL', 110, ''),
  operation('valkey', 'HSET', 120, ''),
  operation('valkey', 'EXPIRE', 60, ''),
  operation('valkey', 'DEL', 70, ''),
];

/** Traces begin with these operations of the storefront; the weights add up to 100. */
export const SHOP_ENTRANCES: readonly { readonly operation: string; readonly weight: number }[] = [
  { operation: 'storefront/GET /', weight: 27 },
  { operation: 'storefront/GET /products/{id}', weight: 27 },
  { operation: 'storefront/GET /search', weight: 11 },
  { operation: 'storefront/GET /basket', weight: 10 },
  { operation: 'storefront/POST /basket/items', weight: 9 },
  { operation: 'storefront/POST /orders', weight: 8 },
  { operation: 'storefront/GET /orders/{id}', weight: 4 },
  { operation: 'storefront/POST /login', weight: 4 },
];

/** What stands in `db.query.text`: `$1` is replaced by a literal, `$2` by a small number. */
export const SHOP_STATEMENTS: Readonly<Record<string, string>> = {
  'SELECT products':
    "SELECT id, sku, title, description, image_url, price_units, currency FROM products WHERE sku = '$1' AND visible LIMIT $2",
  'SELECT prices':
    "SELECT list_units, currency, discount_pct, valid_until FROM prices WHERE sku = '$1' AND tier = $2 ORDER BY valid_until DESC",
  'SELECT users':
    "SELECT id, email, password_hash, locale, created_at, last_seen_at FROM users WHERE external_id = '$1' AND region = $2",
  'SELECT orders':
    "SELECT id, status, total_units, currency, placed_at FROM orders WHERE order_id = '$1' AND version >= $2",
  'SELECT stock':
    "SELECT location, on_hand, reserved FROM stock WHERE sku = '$1' AND zone = $2 FOR SHARE",
  'SELECT synonyms':
    "SELECT term, synonym, weight FROM synonyms WHERE lang = '$1' ORDER BY weight DESC LIMIT $2",
  'SELECT carriers':
    "SELECT carrier, zone, base_units, per_kg_units FROM carriers WHERE zone = '$1' AND weight_class = $2 ORDER BY base_units",
  'SELECT parcels':
    "SELECT parcel_id, carrier, state, updated_at FROM parcels WHERE order_id = '$1' AND leg = $2",
  'INSERT orders':
    "INSERT INTO orders (order_id, customer, total_units, currency, status, placed_at) VALUES ('$1', $2, ?, ?, 'NEW', now())",
  'INSERT payments':
    "INSERT INTO payments (order_id, amount_units, card_type, card_last4, auth_code) VALUES ('$1', $2, ?, ?, ?)",
  'INSERT audit_log':
    "INSERT INTO audit_log (subject, version, actor, change, at) VALUES ('$1', $2, ?, ?, now())",
  'UPDATE stock':
    "UPDATE stock SET reserved = reserved + 1, updated_at = now() WHERE sku = '$1' AND zone = $2 AND on_hand > reserved",
};
