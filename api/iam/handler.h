// IAM and STS on the S3 endpoint: POST / with a form, signed for the service "iam" or "sts".
#pragma once
#include "api/http/message.h"
#include "auth/audit/event.h"
#include "auth/identity/identity_store.h"
#include "auth/oidc/key_source.h"
#include "storage/base/clock.h"

namespace outcrop::iam {

/// Borrowed; outlives the handler.
struct Config {
  identity::IdentityStore& store;
  const Clock& clock;
  std::string region = "us-east-1";
  audit::Sink* audit = nullptr;     ///< null: no audit log
  oidc::KeySource* oidc = nullptr;  ///< null: no keys of identity providers
  bool rgw = false;                 ///< as Ceph's object gateway does it: auth/policy/rgw.h
};

/// Whether the request is for IAM or STS: its signature says so, or it has none and is a form or
/// asks for AssumeRoleWithWebIdentity. S3 has no POST of the service.
bool is_for_iam(const http::Request& request);

/// Thread-safe.
http::Handler make_handler(Config config);

/// `iam` for what is_for_iam(), `s3` for the rest.
http::Handler choose(http::Handler iam, http::Handler s3);

}  // namespace outcrop::iam
