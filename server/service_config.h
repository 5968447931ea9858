// What the configuration file says to the services on the S3 port: the values among their settings,
// without the parts that they borrow. Pure.
#pragma once
#include "api/s3/handler.h"
#include "auth/authenticator.h"
#include "server/config.h"

namespace outcrop::server {

auth::AuthConfig auth_config_of(const Config& config);
s3::S3Config s3_config_of(const Config& config);

}  // namespace outcrop::server
