// Buckets over the admin API: JSON on one side, the table of their settings on the other.
#pragma once
#include <functional>

#include "api/admin/bucket_routes.h"
#include "api/s3/bucket_settings.h"
#include "auth/access/access_table.h"
#include "storage/ns/namespace.h"

namespace outcrop::server {

/// Null until the store is open.
struct BucketParts {
  ns::Namespace* ns = nullptr;
  access::AccessTable* access = nullptr;
  s3::SettingsTable* settings = nullptr;
  s3::EtagKind etag = s3::EtagKind::md5;  ///< of buckets that do not say
};

/// `parts` is asked for each request, on the worker that serves it.
admin::BucketSource bucket_source(std::function<BucketParts()> parts);

}  // namespace outcrop::server
