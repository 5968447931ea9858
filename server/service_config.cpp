#include "server/service_config.h"

namespace outcrop::server {

auth::AuthConfig auth_config_of(const Config& config) {
  return {.allow_unsigned_payload_over_http = config.unsigned_payload_http,
          .signature_v2_forms = config.signature_v2_forms,
          .s3_without_region = config.rgw_dialect};
}

s3::S3Config s3_config_of(const Config& config) {
  s3::S3Config out;
  out.region = config.region;
  out.domains = config.domains;
  out.object_ownership = config.object_ownership;
  out.dialect = config.rgw_dialect ? s3::Dialect::rgw : s3::Dialect::aws;
  out.sse_c_over_http = config.sse_c_over_http;
  out.file_metadata = config.file_metadata;
  out.fast_etags = config.fast_etags;
  out.lifecycle_day_seconds = config.lifecycle_day.count();
  return out;
}

}  // namespace outcrop::server
