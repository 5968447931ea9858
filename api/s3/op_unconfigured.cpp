// Sub-resources that no bucket or object of this gateway has. Reading one gives what AWS gives when
// nothing is configured, so that tools which look at everything (Terraform, aws-cli) work; setting
// one is NotImplemented.
#include "api/s3/call.h"
#include "api/s3/ops.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {
namespace {

/// Empty: the sub-resource is answered with a document.
std::optional<S3Error> missing(OpId id) {
  switch (id) {
    case OpId::get_bucket_website:
      return S3Error(Code::no_such_website_configuration);
    case OpId::get_bucket_replication:
      return S3Error(Code::replication_not_found);
    default:
      return std::nullopt;
  }
}

std::string empty_list(std::string_view root) {
  XmlWriter xml(root);
  xml.flag("IsTruncated", false);
  return std::move(xml).take();
}

std::string document_of(const Call& call) {
  switch (call.op.id) {
    case OpId::get_bucket_logging:
      return XmlWriter("BucketLoggingStatus").take();
    case OpId::get_bucket_notification:
      return XmlWriter("NotificationConfiguration").take();
    case OpId::get_bucket_accelerate:
      return XmlWriter("AccelerateConfiguration").take();
    case OpId::get_bucket_request_payment: {
      XmlWriter xml("RequestPaymentConfiguration");
      xml.text("Payer", "BucketOwner");
      return std::move(xml).take();
    }
    case OpId::get_bucket_analytics:
      return empty_list("ListBucketAnalyticsConfigurationsResult");
    case OpId::get_bucket_inventory:
      return empty_list("ListInventoryConfigurationsResult");
    case OpId::get_bucket_metrics:
      return empty_list("ListMetricsConfigurationsResult");
    default:
      return empty_list("ListBucketIntelligentTieringConfigurationsResult");
  }
}

/// These four are collections: with an id one member is asked for, and there is none.
bool asks_for_one_of_many(const Call& call) {
  switch (call.op.id) {
    case OpId::get_bucket_analytics:
    case OpId::get_bucket_inventory:
    case OpId::get_bucket_metrics:
    case OpId::get_bucket_intelligent_tiering:
      return call.query("id").has_value();
    default:
      return false;
  }
}

/// The bucket or object whose sub-resource it is must exist.
Async<Outcome<>> check_exists(Call& call) {
  if (call.op.scope == Scope::bucket) {
    S3_CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
    co_return Outcome<>{};
  }
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  S3_CO_TRYV(co_await call.ns.stat(call.bucket(), call.key(), version));
  co_return Outcome<>{};
}

}  // namespace

Answer unconfigured(Call& call) {
  S3_CO_TRYV(co_await check_exists(call));
  if (auto error = missing(call.op.id)) {
    co_return std::unexpected(std::move(*error));
  }
  if (asks_for_one_of_many(call)) {
    co_return fail(Code::no_such_configuration);
  }
  co_return xml_response(document_of(call));
}

Answer nothing_to_delete(Call& call) {
  S3_CO_TRYV(co_await check_exists(call));
  co_return empty_response(204);
}

Answer not_implemented(Call& call) {
  co_return fail(Code::not_implemented,
                 std::string(call.op.name) + " is not implemented by this server.");
}

}  // namespace outcrop::s3
