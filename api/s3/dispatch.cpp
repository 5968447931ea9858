// The way of one request: authenticate, resolve the target, route, authorise, serve, map errors.
#include <algorithm>
#include <utility>

#include "api/s3/audit.h"
#include "api/s3/call.h"
#include "api/s3/encryption.h"
#include "api/s3/existing_tags.h"
#include "api/s3/handler.h"
#include "api/s3/rgw.h"
#include "api/s3/router.h"
#include "storage/base/assert.h"
#include "storage/base/log.h"

namespace outcrop::s3 {
namespace {

/// A body that nobody read is drained up to this size, so that the connection can be used again.
constexpr std::uint64_t kMaxDrainBytes = 64 * 1024;

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

/// Counts what the handler reads, and knows whether it read to the end.
class CountingBody final : public http::BodyReader {
 public:
  explicit CountingBody(http::BodyReader& inner) : x_inner(inner) {}
  Task<std::size_t> read_some(MutBytes out) override {
    auto n = co_await x_inner.read_some(out);
    if (n) {
      x_bytes += *n;
      x_ended = *n == 0;
    } else {
      x_broken = true;
    }
    co_return n;
  }
  std::optional<std::uint64_t> content_length() const override { return x_inner.content_length(); }
  bool kept_back() const override { return x_inner.kept_back(); }

  std::uint64_t bytes() const { return x_bytes; }
  bool broken() const { return x_broken; }
  bool ended() const { return x_ended || (content_length() && x_bytes >= *content_length()); }

 private:
  http::BodyReader& x_inner;
  std::uint64_t x_bytes = 0;
  bool x_ended = false, x_broken = false;
};

/// What is reported about a request once its answer is out.
struct Record {
  const Observer* observer = nullptr;
  const Clock* clock = nullptr;
  OpId op = OpId::unknown;
  int status = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::int64_t started_ns = 0;

  void report() const {
    if (*observer) {
      (*observer)(op, status, bytes_in, bytes_out, clock->steady_ns() - started_ns);
    }
  }
};

/// Reports when the session is done with the body, however it ended.
class ObservedSource final : public http::BodySource {
 public:
  ObservedSource(std::unique_ptr<http::BodySource> inner, Record record)
      : x_inner(std::move(inner)), x_record(record) {}
  ~ObservedSource() override { x_record.report(); }
  std::uint64_t size() const override { return x_inner->size(); }
  Task<std::vector<Buffer>> next() override {
    auto slices = co_await x_inner->next();
    if (slices) {
      for (const Buffer& slice : *slices) {
        x_record.bytes_out += slice.size();
      }
    }
    co_return slices;
  }

 private:
  std::unique_ptr<http::BodySource> x_inner;
  Record x_record;
};

/// Presigners move x-amz-* headers into the query; there they are signed and mean the same.
std::vector<http::Header> hoisted_headers(const auth::Authentication& who,
                                          const auth::Target& target) {
  std::vector<http::Header> out;
  if (!who.presigned) {
    return out;
  }
  constexpr std::string_view kSigning[] = {
      "x-amz-algorithm", "x-amz-credential",    "x-amz-date",           "x-amz-expires",
      "x-amz-signature", "x-amz-signedheaders", "x-amz-content-sha256", "x-amz-security-token"};
  for (const auth::QueryParam& p : target.query) {
    std::string name = lower(p.name);
    const bool signing = std::ranges::find(kSigning, name) != std::end(kSigning);
    if (name.starts_with("x-amz-") && !signing) {
      out.push_back({std::move(name), p.value});
    }
  }
  return out;
}

Scope scope_of(const auth::Target& target) {
  if (target.bucket.empty()) {
    return Scope::service;
  }
  return target.key.empty() ? Scope::bucket : Scope::object;
}

Outcome<> check_key_length(const auth::Target& target) {
  if (target.key.size() > ns::kMaxKeyBytes) {
    return fail(Code::key_too_long, {},
                {{"Size", std::to_string(target.key.size())},
                 {"MaxSizeAllowed", std::to_string(ns::kMaxKeyBytes)}});
  }
  return {};
}

/// A version id that an operation does not read must not say either which action is decided.
Outcome<> check_version_parameter(const Op& op, const auth::Target& target) {
  const auto version = target.param("versionId");
  if (version && !takes_version(op.id)) {
    return bad_argument("This operation does not accept a version-id.", "versionId",
                        std::string(*version));
  }
  return {};
}

class Dispatcher {
 public:
  Dispatcher(ns::Namespace& ns, Authenticate authenticate, S3Config config)
      : x_ns(ns),
        x_authenticate(std::move(authenticate)),
        x_config(std::move(config)),
        x_clock(x_config.clock != nullptr ? *x_config.clock : system_clock()) {
    OUTCROP_ASSERT(x_config.access != nullptr && x_config.settings != nullptr &&
                   x_config.vault != nullptr);
  }

  Async<http::Response> serve(http::Request& request) {
    Record record{&x_config.observer, &x_clock, OpId::unknown, 0, 0, 0, x_clock.steady_ns()};
    CountingBody body(*request.body);
    const bool audited = x_config.audit != nullptr && may_leave_record(request);
    Seen seen;
    const bool preflight = request.method == "OPTIONS";
    auto answer = co_await (preflight ? run_preflight(request, seen) : run(request, body, seen));
    if (!answer && x_config.dialect == Dialect::rgw) {
      answer = rgw::answer_of(std::move(answer).error(), request, seen);
    }
    http::Response response =
        answer ? std::move(*answer) : error_response(answer.error(), request, seen.target);
    if (audited) {
      if (!answer) {
        seen.code = row(answer.error().code).name;
        seen.why = std::move(answer.error().why);
      }
      audit_request(*x_config.audit, request, seen, response.status);
    }
    record.op = preflight ? OpId::cors_preflight : seen.op != nullptr ? seen.op->id : OpId::unknown;
    if (!preflight) {
      let_browser_read(request, response);
    }
    if (body.broken() || !body.ended()) {
      co_await settle_body(body, response);
    }
    response.set("x-amz-request-id", request.id);
    response.set("x-amz-id-2", x_config.host_id);
    record.status = response.status;
    record.bytes_in = body.bytes();
    finish(response, record);
    co_return response;
  }

 private:
  Async<Outcome<http::Response>> run(http::Request& request, CountingBody& body, Seen& seen) {
    S3_CO_TRY(const auth::Authentication who, x_authenticate(request));
    if (x_config.audit != nullptr && may_leave_record(request)) {
      seen.who = who.principal;
    }
    auto split =
        auth::split_target(request.target, request.header("host").value_or(""), x_config.domains);
    if (!split) {
      co_return fail(Code::invalid_uri, {}, {{"URI", request.target}});
    }
    const auth::Target& target = seen.target = std::move(*split);
    S3_CO_TRY(const Op* op, route(request.method, scope_of(target), target.query, request.headers));
    seen.op = op;
    S3_CO_TRYV(check_version_parameter(*op, target));
    const std::vector<http::Header> hoisted = hoisted_headers(who, target);
    RequestContext context({.request = request,
                            .target = target,
                            .auth = who,
                            .hoisted = hoisted,
                            .clock = x_clock,
                            .region = x_config.region});
    context.set_bucket_account(access::owner_account(x_config.access->find(target.bucket).get()));
    if (takes_tags(op->id, context)) {
      context.take_tags_of_header();
    }
    const Asker asker{who.principal, context, *x_config.access, x_config.owner_id};
    if (has_existing_tags(op->id)) {
      S3_CO_TRYV(co_await learn_existing_tags(asker, context, x_ns, target.bucket, target.key,
                                              target.param("versionId")));
    }
    if (asks_of_upload(asker, op->id, target.bucket)) {
      co_await learn_upload_encryption(context, x_ns, *x_config.vault, target);
    }
    auto granted = authorize_request(asker, *op, target);
    if (!granted) {
      co_return std::unexpected(
          co_await explain_denial(asker, context, *op, target, std::move(granted).error()));
    }
    Grant grant = *std::move(granted);
    S3_CO_TRYV(check_key_length(target));
    Call call{request,
              body,
              who,
              std::move(grant),
              target,
              *op,
              asker,
              context,
              *x_config.access,
              *x_config.settings,
              x_ns,
              x_config,
              hoisted,
              seen};
    S3_CO_TRYV(check_features(call));
    auto answer = co_await op->handler(call);
    if (seen.who) {
      seen.why = call.grant.why();
    }
    if (!answer && (answer.error().code == Code::no_such_key ||
                    answer.error().code == Code::no_such_version)) {
      S3_CO_TRYV(may_know_of_keys(asker, context, *op, target));
    }
    co_return answer;
  }

  /// Nobody signs a preflight: it asks what a request would be allowed to look like, and learns
  /// nothing else.
  Async<Outcome<http::Response>> run_preflight(const http::Request& request, Seen& seen) {
    auto split =
        auth::split_target(request.target, request.header("host").value_or(""), x_config.domains);
    if (!split) {
      co_return fail(Code::invalid_uri, {}, {{"URI", request.target}});
    }
    seen.target = std::move(*split);
    if (seen.target.bucket.empty()) {
      co_return fail(Code::method_not_allowed, {}, {{"Method", request.method}});
    }
    S3_CO_TRY(const CorsQuestion question, preflight_question(request));
    // Whether there is such a bucket is not told: one without rules and none look the same.
    const Details what{{"Method", std::string(question.method)},
                       {"ResourceType", seen.target.key.empty() ? "BUCKET" : "OBJECT"}};
    const BucketSettingsPtr settings = x_config.settings->find(seen.target.bucket);
    if (!settings || !settings->cors) {
      co_return fail(Code::access_forbidden, "CORSResponse: CORS is not enabled for this bucket.",
                     what);
    }
    const CorsRule* const rule = find_rule(*settings->cors, question);
    if (rule == nullptr) {
      co_return fail(Code::access_forbidden,
                     "CORSResponse: This CORS request is not allowed. This is usually because the "
                     "evalution of Origin, request method / Access-Control-Request-Method or "
                     "Access-Control-Request-Headers are not whitelisted by the resource's CORS "
                     "spec.",
                     what);
    }
    http::Response response = empty_response(200);
    add_cors_headers(*rule, question, response);
    co_return response;
  }

  /// Adds what the bucket's CORS rules say to any answer, refusals too: scripts may read why.
  void let_browser_read(const http::Request& request, http::Response& response) const {
    const auto question = cors_question(request);
    if (!question) {
      return;
    }
    const auto target =
        auth::split_target(request.target, request.header("host").value_or(""), x_config.domains);
    const BucketSettingsPtr settings = target ? x_config.settings->find(target->bucket) : nullptr;
    if (settings && settings->cors) {
      if (const CorsRule* const rule = find_rule(*settings->cors, *question)) {
        add_cors_headers(*rule, *question, response);
      }
    }
  }

  /// Whose a bucket is cannot be said of one that is not there: accounts get to hear that. And who
  /// may list a bucket with ACLs gets to hear that it has no such object.
  Async<S3Error> explain_denial(const Asker& asker,
                                RequestContext& context,
                                const Op& op,
                                const auth::Target& target,
                                S3Error denial) {
    const bool stranger = asker.canonical_id() != x_config.owner_id;
    if (target.bucket.empty() || op.id == OpId::create_bucket || !stranger) {
      co_return denial;
    }
    if (!x_config.access->find(target.bucket)) {
      const auto bucket = co_await x_ns.get_bucket(target.bucket);
      co_return !bucket && bucket.error().code() == Errc::no_such_bucket ? S3Error(bucket.error())
                                                                         : std::move(denial);
    }
    const bool reads = op.method == Method::get || op.method == Method::head;
    if (op.scope == Scope::object && reads && !context.object_acl() &&
        has_object_acls(asker, target.bucket) && may_list(asker, context, target)) {
      const auto object = co_await x_ns.stat(target.bucket, target.key);
      if (!object && (object.error().code() == Errc::no_such_key ||
                      object.error().code() == Errc::key_deleted)) {
        co_return S3Error(object.error());
      }
    }
    co_return denial;
  }

  /// The key, as if he listed the bucket with it as prefix.
  static Outcome<> may_list(const Asker& asker,
                            RequestContext& context,
                            const auth::Target& target) {
    static const policy::Action list = policy::find_action("s3:ListBucket").value();
    context.set_prefix(target.key);
    auto granted = authorize(asker, list, target.bucket, {});
    context.set_prefix(std::nullopt);
    S3_TRYV(std::move(granted));
    return {};
  }

  /// Whether a key exists is told to those only who may list the bucket.
  static Outcome<> may_know_of_keys(const Asker& asker,
                                    RequestContext& context,
                                    const Op& op,
                                    const auth::Target& target) {
    const bool reads = op.method == Method::get || op.method == Method::head;
    return reads ? may_list(asker, context, target) : Outcome<>();
  }

  http::Response error_response(const S3Error& error,
                                const http::Request& request,
                                const auth::Target& target) const {
    if (error.status() >= 500 && error.code != Code::not_implemented) {
      log::warn("request failed", {{"request", request.id},
                                   {"method", request.method},
                                   {"code", row(error.code).name},
                                   {"error", error.log_detail}});
    }
    http::Response response;
    response.status = error.status();
    for (const auto& [name, value] : error.headers) {
      response.set(name, value);
    }
    if (request.method == "HEAD" || response.status == 304) {
      return response;
    }
    const std::string_view path =
        std::string_view(request.target).substr(0, request.target.find('?'));
    response.set("Content-Type", "application/xml");
    response.body =
        error_document(error, {target.bucket, target.key, path, request.id, x_config.host_id});
    return response;
  }

  /// After a refusal part of the body may still be on its way; as the next request it would be
  /// garbage. Small rests are read, for large ones the connection ends.
  static Async<> settle_body(CountingBody& body, http::Response& response) {
    if (body.broken() || body.kept_back()) {
      response.close = true;
      co_return;
    }
    if (body.content_length().value_or(kMaxDrainBytes + 1) - body.bytes() > kMaxDrainBytes) {
      response.close = true;
      co_return;
    }
    std::array<std::byte, 4096> sink;
    while (!body.ended() && !body.broken()) {
      const auto n = co_await body.read_some(sink);
      response.close = response.close || !n;
    }
  }

  static void finish(http::Response& response, Record record) {
    auto* source = std::get_if<std::unique_ptr<http::BodySource>>(&response.body);
    if (source != nullptr && *source) {
      *source = std::make_unique<ObservedSource>(std::move(*source), record);
      return;
    }
    record.bytes_out = source != nullptr ? 0 : std::get<std::string>(response.body).size();
    record.report();
  }

  ns::Namespace& x_ns;
  Authenticate x_authenticate;
  S3Config x_config;
  const Clock& x_clock;
};

}  // namespace

http::Handler make_handler(ns::Namespace& ns, Authenticate authenticate, S3Config config) {
  auto dispatcher = std::make_shared<Dispatcher>(ns, std::move(authenticate), std::move(config));
  return [dispatcher](http::Request& request) { return dispatcher->serve(request); };
}

http::Handler make_handler(ns::Namespace& ns,
                           const auth::Authenticator& authenticator,
                           S3Config config) {
  config.authenticate_post = [&authenticator](const auth::PostSignature& form) {
    return authenticator.authenticate_post(form);
  };
  return make_handler(ns, Authenticate([&authenticator](const http::Request& r) {
                        return authenticator.authenticate(r);
                      }),
                      std::move(config));
}

}  // namespace outcrop::s3
