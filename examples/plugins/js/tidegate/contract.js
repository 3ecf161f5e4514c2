// Made from wit/ by `cargo xtask bindings`; changes are overwritten.
// What fields hold: `text`, `flag`, a number or a type by its name; `[]` is a list of it, and `?` says that it may be absent.

/** Fields of each record. */
export const records = {
    "header": { "name": "text", "value": "text" },
    "connection": { "name": "text", "account": "text?", "settings": "text" },
    "request": { "method": "text", "url": "text", "headers": "header[]", "body": "text?" },
    "response": { "status": "u16", "headers": "header[]", "body": "text" },
    "item": { "id": "text", "topic": "text", "headers": "header[]", "body": "text", "envelope": "text?", "receivedAt": "text", "state": "text?", "answers": "answer[]" },
    "failure": { "field": "text?", "reason": "text", "retryable": "flag" },
    "trigger": { "name": "text", "eventKey": "text", "variables": "text" },
    "entity": { "entityType": "text", "id": "text", "version": "text?" },
    "field": { "name": "text", "value": "text?" },
    "phone": { "number": "text", "region": "text?" },
    "consent": { "channel": "text", "scope": "text", "state": "text", "at": "text?", "method": "text?" },
    "contact-info": { "keys": "contact-key[]", "name": "text?", "firstName": "text?", "lastName": "text?", "language": "text?", "country": "text?", "timeZone": "text?", "tags": "text[]?", "fields": "field[]", "consents": "consent[]" },
    "money": { "amount": "text", "currency": "text" },
    "address": { "name": "text?", "company": "text?", "lines": "text[]", "city": "text?", "region": "text?", "postalCode": "text?", "country": "text?", "phone": "text?" },
    "line-item": { "id": "text?", "productId": "text?", "sku": "text?", "title": "text", "variant": "text?", "quantity": "text", "price": "money?", "url": "text?", "imageUrl": "text?" },
    "order": { "id": "text", "number": "text?", "status": "text?", "paymentStatus": "text?", "fulfillmentStatus": "text?", "total": "money?", "subtotal": "money?", "shipping": "money?", "tax": "money?", "discount": "money?", "refunded": "money?", "items": "line-item[]", "shippingAddress": "address?", "billingAddress": "address?", "statusUrl": "text?", "cartId": "text?", "discountCodes": "text[]", "tags": "text[]", "note": "text?", "cancelReason": "text?", "placedAt": "text?" },
    "shipment": { "id": "text", "orderId": "text?", "orderNumber": "text?", "status": "text?", "carrier": "text?", "trackingNumbers": "text[]", "trackingUrls": "text[]", "estimatedDeliveryAt": "text?", "items": "line-item[]", "destination": "address?" },
    "cart": { "id": "text", "total": "money?", "items": "line-item[]", "recoveryUrl": "text?", "completedAt": "text?", "deleted": "flag" },
    "contact-change": { "mergedIds": "text[]", "orderIds": "text[]", "requestId": "text?" },
    "lead": { "id": "text", "formId": "text?", "campaign": "text?", "adId": "text?", "answers": "field[]", "test": "flag" },
    "deal": { "id": "text", "name": "text?", "pipeline": "text?", "stage": "text?", "previousStage": "text?", "amount": "money?", "owner": "text?" },
    "appointment": { "id": "text", "title": "text?", "startsAt": "text?", "endsAt": "text?", "timeZone": "text?", "location": "text?", "hosts": "text[]", "cancelUrl": "text?", "rescheduleUrl": "text?", "previousId": "text?", "previousStartsAt": "text?", "cancelReason": "text?", "answers": "field[]" },
    "form": { "id": "text", "formId": "text?", "name": "text?", "answers": "field[]" },
    "media": { "id": "text?", "mimeType": "text?", "url": "text?", "fileName": "text?", "sha256": "text?" },
    "referral": { "sourceType": "text?", "sourceId": "text?", "sourceUrl": "text?", "headline": "text?", "clickId": "text?" },
    "message": { "id": "text", "channel": "text", "sender": "text", "direction": "direction", "messageType": "text", "text": "text?", "replyId": "text?", "inReplyTo": "text?", "media": "media?", "referral": "referral?", "content": "text?" },
    "provider-error": { "code": "text", "title": "text?", "details": "text?" },
    "pricing": { "billable": "flag?", "model": "text?", "category": "text?", "pricingType": "text?" },
    "status": { "messageId": "text", "channel": "text", "sender": "text", "state": "text", "callbackData": "text?", "recipient": "text?", "errors": "provider-error[]", "pricing": "pricing?" },
    "sender": { "id": "text", "displayNumber": "text?", "quality": "text?", "limit": "s32?", "providerEvent": "text?", "reason": "text?" },
    "template": { "id": "text?", "name": "text", "language": "text?", "status": "text?", "category": "text?", "quality": "text?", "reason": "text?" },
    "connection-change": { "account": "text?", "providerEvent": "text?", "reason": "text?" },
    "event": { "eventKey": "text", "kind": "text", "occurredAt": "text", "contact": "contact-info?", "entity": "entity?", "payload": "payload", "extra": "text" },
    "done": { "events": "event[]", "triggers": "trigger[]", "state": "text?" },
};

/** Cases of each variant. */
export const variants = {
    "answer": { "response": "response", "failed": "text" },
    "contact-key": { "phone": "phone", "whatsapp-id": "text", "whatsapp-user-id": "text", "email": "text", "external-id": "text" },
    "payload": { "order": "order", "shipment": "shipment", "cart": "cart", "contact": "contact-change", "lead": "lead", "deal": "deal", "appointment": "appointment", "form": "form", "message": "message", "status": "status", "sender": "sender", "template": "template", "connection": "connection-change", "custom": "text" },
    "outcome": { "done": "done", "need": "request[]", "skip": "text", "failed": "failure" },
};

/** Words of each enum. */
export const enums = {
    "direction": ["inbound", "outbound"],
};
