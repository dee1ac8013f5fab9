# nginx.conf in, what it says inside compose.yaml out: sed --file compose-nginx.sed nginx.conf > immune-status.conf
s|server 127\.0\.0\.1:8081 |server cds-service:8080 |
/server 127\.0\.0\.1:8082 /d
s|/etc/ssl/immune-status/fullchain\.pem|/run/secrets/tls.crt|
s|/etc/ssl/immune-status/key\.pem|/run/secrets/tls.key|
s|/var/log/nginx/immune-status-error\.log|/dev/stderr|
s|/var/log/nginx/immune-status\.log|/dev/stdout|
