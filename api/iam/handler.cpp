#include "api/iam/handler.h"

#include <algorithm>
#include <array>
#include <memory>

#include "api/iam/audit.h"
#include "api/iam/authorize.h"
#include "api/iam/rate_limit.h"
#include "api/s3/request_context.h"
#include "auth/form_signature.h"
#include "auth/policy/rgw.h"
#include "storage/base/log.h"

namespace outcrop::iam {
namespace {

constexpr std::array<std::string_view, 2> kServices{"iam", "sts"};

std::string_view service_of(const http::Request& request) {
  const std::string_view authorization = request.header("authorization").value_or("");
  for (const std::string_view service : kServices) {
    const std::string ending = "/" + std::string(service) + "/aws4_request";
    const std::size_t credential = authorization.find("Credential=");
    if (credential == std::string_view::npos) {
      continue;
    }
    const std::string_view value = authorization.substr(credential);
    if (value.substr(0, value.find(',')).ends_with(ending)) {
      return service;
    }
  }
  return {};
}

constexpr std::string_view kTrustPolicy = "UpdateAssumeRolePolicy";
constexpr std::string_view kWebIdentity = "AssumeRoleWithWebIdentity";

std::string_view query_of(const http::Request& request) {
  const std::string_view target = request.target;
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? "" : target.substr(mark + 1);
}

/// A form that nobody has signed, or the one action that takes none, in the query.
bool is_unsigned(const http::Request& request) {
  const std::string_view query = query_of(request);
  const bool get = request.method == "GET", post = request.method == "POST";
  if ((!get && !post) || request.header("authorization") || query.contains("X-Amz-")) {
    return false;
  }
  const std::string named = "&Action=" + std::string(kWebIdentity) + "&";
  const std::string_view type = request.header("content-type").value_or("");
  return ("&" + std::string(query) + "&").contains(named) ||
         (post && type.starts_with("application/x-www-form-urlencoded"));
}

Task<std::string> read_body(http::BodyReader& body) {
  if (body.content_length().value_or(0) > kMaxFormBytes) {
    co_return fail(Errc::entity_too_large);
  }
  std::string text;
  std::array<std::byte, 4096> buffer;
  for (;;) {
    CO_TRY(const std::size_t n, co_await body.read_some(buffer));
    if (n == 0) {
      co_return text;
    }
    if (text.size() + n > kMaxFormBytes) {
      co_return fail(Errc::entity_too_large);
    }
    text.append(reinterpret_cast<const char*>(buffer.data()), n);
  }
}

Failure failure_of_signature(const auth::AuthFailure& failure) {
  switch (failure.code) {
    case auth::AuthError::invalid_access_key_id:
      return {403, "InvalidClientTokenId",
              "The security token included in the request is invalid."};
    case auth::AuthError::signature_does_not_match:
      return {403, "SignatureDoesNotMatch", failure.message};
    case auth::AuthError::request_time_too_skewed:
      return {403, "SignatureDoesNotMatch", failure.message};
    case auth::AuthError::invalid_token:
      return {403, "InvalidClientTokenId",
              "The security token included in the request is invalid."};
    case auth::AuthError::expired_token:
      return {403, "ExpiredToken", "The security token included in the request is expired"};
    case auth::AuthError::access_denied:
      return {403, "AccessDenied", failure.message};
    default:
      return {400, "IncompleteSignature", failure.message};
  }
}

const Action* find_action(std::string_view name, std::string_view service) {
  const auto at = std::ranges::find_if(
      actions(), [&](const Action& a) { return a.name == name && a.service == service; });
  return at == actions().end() ? nullptr : &*at;
}

class Service {
 public:
  explicit Service(Config config) : x_config(std::move(config)) {}

  Async<http::Response> serve(http::Request& request) {
    Seen seen{.service = std::string(service_of(request))};
    const bool with_signature = !seen.service.empty();
    if (!with_signature) {
      seen.service = "sts";
      if (!x_strangers.allow(request.address(), x_config.clock.steady_ns())) {
        // Not for the audit log, which it would fill.
        co_return refusal({400, "Throttling", "Rate exceeded"}, seen, request);
      }
    }
    auto answer =
        with_signature ? co_await run(request, seen) : co_await run_unsigned(request, seen);
    if (x_config.audit != nullptr) {
      audit_request(*x_config.audit, request, seen, answer ? nullptr : &answer.error());
    }
    if (!answer) {
      co_return refusal(answer.error(), seen, request);
    }
    http::Response response;
    response.set("Content-Type", "text/xml");
    response.set("x-amzn-RequestId", request.id);
    response.body = x_config.rgw ? policy::without_account(*answer) : *std::move(answer);
    co_return response;
  }

 private:
  using Outcome = std::expected<std::string, Failure>;

  static http::Response refusal(const Failure& failure,
                                const Seen& seen,
                                const http::Request& request) {
    http::Response refused = error_response(failure, seen.service, request.id);
    refused.close = failure.status == 413;
    refused.set("x-amzn-RequestId", request.id);
    return refused;
  }

  Result<Form> parse(std::string_view body) const {
    TRY(Form form, Form::parse(body));
    if (x_config.rgw) {
      form.rewrite([&form](std::string_view name, std::string_view value) {
        const bool of_identity = name == "PolicyDocument" && form.get("Action") != kTrustPolicy;
        const std::string text = policy::with_account(value);
        return of_identity ? policy::without_principal(text) : text;
      });
    }
    return form;
  }

  /// Parameters may be in the query, in the body, or in both.
  Async<Outcome> run_unsigned(http::Request& request, Seen& seen) {
    const auto body = co_await read_body(*request.body);
    if (!body) {
      co_return std::unexpected(Failure{413, "RequestEntityTooLarge", "The request is too large."});
    }
    const auto form = parse(std::string(query_of(request)) + "&" + *body);
    if (!form) {
      co_return std::unexpected(Failure{400, "MalformedQueryString", "The form is malformed."});
    }
    seen.name = form->get("Action");
    if (seen.name != kWebIdentity) {
      co_return std::unexpected(
          Failure{403, "MissingAuthenticationToken", "Request is missing Authentication Token"});
    }
    seen.action = find_action(seen.name, seen.service);
    static const auto nobody = std::make_shared<const auth::Identity>();
    auth::Authentication who;
    who.principal.identity = nobody;
    co_return co_await answer_of(request, *form, who, seen);
  }

  Async<Outcome> run(http::Request& request, Seen& seen) {
    const auto body = co_await read_body(*request.body);
    if (!body) {
      co_return std::unexpected(Failure{413, "RequestEntityTooLarge", "The request is too large."});
    }
    const auto who =
        auth::authenticate_form(x_config.store, x_config.clock, request, seen.service, *body);
    if (!who) {
      co_return std::unexpected(failure_of_signature(who.error()));
    }
    seen.access_key = who->principal.access_key;
    const auto form = parse(*body);
    if (!form || !who->principal.identity) {
      co_return std::unexpected(Failure{400, "MalformedQueryString", "The form is malformed."});
    }
    seen.name = form->get("Action");
    seen.action = find_action(seen.name, seen.service);
    if (seen.action == nullptr) {
      co_return std::unexpected(
          Failure{501, "NotImplemented",
                  "The action " + seen.name + " is not implemented by this server."});
    }
    co_return co_await answer_of(request, *form, *who, seen);
  }

  Async<Outcome> answer_of(const http::Request& request,
                           const Form& form,
                           const auth::Authentication& who,
                           Seen& seen) {
    const Action& action = *seen.action;
    const auth::Target target;
    const std::vector<http::Header> hoisted;
    const s3::RequestContext context({.request = request,
                                      .target = target,
                                      .auth = who,
                                      .hoisted = hoisted,
                                      .clock = x_config.clock,
                                      .region = x_config.region});
    const identity::StatePtr state = x_config.store.state();
    seen.resource = resource_of(action, form, *state, *who.principal.identity);
    seen.target = target_of(action, form);
    const auto permit = authorize(action, form, *state, *who.principal.identity, context);
    if (!permit) {
      co_return std::unexpected(permit.error());
    }
    if (const auto known = check_parameters(action, form); !known) {
      co_return std::unexpected(failure_of(known.error()));
    }
    const std::string root = std::string(action.name) + "Response";
    const std::string result = std::string(action.name) + "Result";
    s3::XmlWriter xml(root, s3::XmlWriter::Namespace::none);
    xml.open(result);
    Call call{
        form,           x_config.store, state, *who.principal.identity, who.principal.access_key,
        context,        *permit,        xml,   x_config.clock,          x_config.oidc,
        x_config.region};
    const identity::Checked<> done = co_await action.handler(call);
    if (!call.holder.empty()) {
      seen.access_key = std::move(call.holder);
    }
    if (!done) {
      Failure failure = failure_of(done.error());
      failure.why = call.why;
      co_return std::unexpected(std::move(failure));
    }
    seen.why = call.why ? std::move(call.why) : permit->why();
    if (!call.new_key.empty()) {
      seen.target = std::move(call.new_key);
    }
    xml.close().open("ResponseMetadata").text("RequestId", request.id).close();
    co_return with_namespace(std::move(xml).take(), root, action.service);
  }

  const Config x_config;
  RateLimit x_strangers;
};

}  // namespace

bool is_for_iam(const http::Request& request) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  return path == "/" &&
         ((request.method == "POST" && !service_of(request).empty()) || is_unsigned(request));
}

http::Handler make_handler(Config config) {
  auto service = std::make_shared<Service>(std::move(config));
  return [service](http::Request& request) { return service->serve(request); };
}

http::Handler choose(http::Handler iam, http::Handler s3) {
  return [iam = std::move(iam), s3 = std::move(s3)](http::Request& request) {
    return is_for_iam(request) ? iam(request) : s3(request);
  };
}

}  // namespace outcrop::iam
