#include "tests/unit/api/s3/s3_fixture.h"

#include <algorithm>
#include <utility>

#include "api/s3/headers.h"
#include "storage/base/async.h"
#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "tests/unit/auth/support.h"

namespace outcrop::s3::test {
namespace {

class TextBody final : public http::BodyReader {
 public:
  explicit TextBody(Body body) : x_body(std::move(body)) {}
  Task<std::size_t> read_some(MutBytes out) override {
    x_asked = true;
    if (x_body.before_read) {
      std::exchange(x_body.before_read, {})();
    }
    const std::size_t n = std::min({out.size(), x_body.slice, x_body.text.size() - x_read});
    std::ranges::copy(as_bytes(x_body.text).subspan(x_read, n), out.begin());
    x_read += n;
    co_return n;
  }
  std::optional<std::uint64_t> content_length() const override {
    return x_body.length_known
               ? std::optional<std::uint64_t>(x_body.claimed.value_or(x_body.text.size()))
               : std::nullopt;
  }
  bool kept_back() const override { return x_body.kept_back && !x_asked; }

 private:
  Body x_body;
  bool x_asked = false;
  std::size_t x_read = 0;
};

}  // namespace

/// Believes every request; what it cannot make up it takes from x-amz-content-sha256.
std::expected<auth::Authentication, auth::AuthFailure> believe(const http::Request& request,
                                                               const Callers& callers) {
  auth::Authentication out;
  if (const auto user = request.header("x-test-user")) {
    out.principal.access_key = *user;
    out.principal.identity = callers.at(std::string(*user));
  } else if (!request.header("x-test-anonymous")) {
    out.principal.access_key = "ROOT";
    out.principal.root = true;
  }
  out.presigned = request.header("x-test-presigned").has_value();
  const std::string_view hash = request.header("x-amz-content-sha256").value_or("");
  if (hash.size() == 64) {
    out.payload = auth::PayloadForm::sha256;
    out.payload_sha256 = hash;
  } else if (hash == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    out.payload = auth::PayloadForm::streaming_unsigned_trailer;
  } else if (hash == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") {
    out.payload = auth::PayloadForm::streaming_signed;
    out.chunks = auth::test::doc_chunk_signing();
  } else if (hash == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    out.payload = auth::PayloadForm::streaming_signed_trailer;
    out.chunks = auth::test::doc_chunk_signing();
  }
  return out;
}

namespace {

Task<Reply> converse(const http::Handler& handler, http::Request& request) {
  http::Response response = co_await handler(request);
  Reply reply{response.status, {}, {}, response.content_length, response.close};
  for (const http::Header& h : response.headers) {
    reply.headers[lower(h.name)] = h.value;
  }
  if (auto* const text = std::get_if<std::string>(&response.body)) {
    reply.body = *text;
    co_return reply;
  }
  auto& source = std::get<std::unique_ptr<http::BodySource>>(response.body);
  for (;;) {
    CO_TRY(const std::vector<Buffer> slices, co_await source->next());
    if (slices.empty()) {
      break;
    }
    for (const Buffer& slice : slices) {
      reply.body += as_text(slice.view());
    }
  }
  EXPECT_EQ(source->size(), reply.body.size());
  co_return reply;
}

}  // namespace

std::vector<std::string> texts(const std::string& xml, const std::string& tag) {
  std::vector<std::string> out;
  const std::string open = "<" + tag + ">";
  for (auto at = xml.find(open); at != std::string::npos; at = xml.find(open, at)) {
    at += open.size();
    out.push_back(xml.substr(at, xml.find("</" + tag + ">", at) - at));
  }
  return out;
}

std::string text(const std::string& xml, const std::string& tag) {
  const auto all = texts(xml, tag);
  return all.empty() ? "(none)" : all.front();
}

std::string code(const Reply& reply) { return text(reply.body, "Code"); }

std::string base64(std::string_view raw) { return digest::to_base64(as_bytes(raw)); }

std::string digest_text(digest::Algorithm algorithm, std::string_view payload) {
  return base64(digest::Digest::of(algorithm, as_bytes(payload)));
}

Reply send_with(const http::Handler& handler,
                std::string method,
                std::string target,
                Headers headers,
                Body body) {
  TextBody reader(std::move(body));
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = std::move(headers);
  request.headers.push_back({"host", "s3.test:9000"});
  request.id = "0123456789ABCDEF";
  request.secure = request.header("x-test-secure").has_value();
  request.body = &reader;
  auto reply = run_sync(converse(handler, request));
  EXPECT_TRUE(reply.has_value());
  return reply.value_or(Reply{});
}

S3Test::S3Test() : ns(clock, {.min_part_bytes = 10, .piece_bytes = 1000}) {
  config.clock = &clock;
  config.domains = {"s3.test"};
  config.host_id = "box-1";
  config.observer = [this](OpId op, int status, std::uint64_t in, std::uint64_t out, std::int64_t) {
    observed.push_back({op, status, in, out});
  };
  access = run_sync(access::AccessTable::open(meta, {}, policy::kBlockAll)).value();
  config.access = access.get();
  settings = run_sync(SettingsTable::open(meta, {})).value();
  config.settings = settings.get();
  vault = run_sync(keys::Vault::open({.meta = meta,
                                      .clock = clock,
                                      .random = random,
                                      .note_seal_key = []() -> Task<> { co_return ok(); }},
                                     identity::SealKey{1}, config.region))
              .value();
  config.vault = vault.get();
  handler = new_handler();
  EXPECT_TRUE(run_sync(ns.create_bucket("bucket", "")));
}

http::Handler S3Test::new_handler() {
  return make_handler(ns, [this](const http::Request& r) { return believe(r, callers); }, config);
}

void S3Test::add_user(const std::string& name,
                      const std::vector<std::string>& policies,
                      const std::string& session) {
  identity::State state;
  identity::Entity user;
  user.name = name;
  for (const std::string& text : policies) {
    const std::string policy_name = "p" + std::to_string(user.inline_policies.size());
    user.inline_policies.emplace(policy_name, identity::make_policy(policy_name, text));
  }
  auto made = std::make_shared<auth::Identity>(*state.identity_of(user));
  if (!session.empty()) {
    made->session = identity::make_policy("session", session);
    made->unreadable = made->unreadable || !made->session->compiled;
  }
  callers[name] = std::move(made);
}

Reply S3Test::send(std::string method, std::string target, Headers headers, Body body) {
  return send_with(handler, std::move(method), std::move(target), std::move(headers),
                   std::move(body));
}
Reply S3Test::put(const std::string& key, std::string payload, Headers headers) {
  return send("PUT", "/bucket/" + key, std::move(headers), {std::move(payload)});
}
Reply S3Test::get(const std::string& key, Headers headers) {
  return send("GET", "/bucket/" + key, std::move(headers));
}
Reply S3Test::head(const std::string& key, Headers headers) {
  return send("HEAD", "/bucket/" + key, std::move(headers));
}

Reply S3Test::put_streaming(const std::string& key,
                            const std::string& payload,
                            const std::string& trailer,
                            const std::string& value,
                            Headers more) {
  auth::test::ChunkedBody chunked{{}, {{trailer, value}}, true};
  if (!payload.empty()) {
    chunked.chunks.push_back(payload);
  }
  more.push_back({"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"});
  more.push_back({"x-amz-decoded-content-length", std::to_string(payload.size())});
  more.push_back({"x-amz-trailer", trailer});
  Body body{auth::test::encode_unsigned(chunked)};
  body.length_known = false;
  return send("PUT", "/bucket/" + key, std::move(more), std::move(body));
}

std::string S3Test::start_upload(const std::string& key, Headers headers) {
  const Reply reply = send("POST", "/bucket/" + key + "?uploads", std::move(headers));
  EXPECT_EQ(reply.status, 200) << reply.body;
  return text(reply.body, "UploadId");
}

Reply S3Test::put_part(const std::string& key,
                       const std::string& id,
                       int number,
                       std::string payload,
                       Headers headers) {
  return send("PUT", "/bucket/" + key + "?partNumber=" + std::to_string(number) + "&uploadId=" + id,
              std::move(headers), {std::move(payload)});
}

Reply S3Test::complete(const std::string& key,
                       const std::string& id,
                       const std::vector<std::pair<int, std::string>>& parts,
                       Headers headers) {
  std::string xml = "<CompleteMultipartUpload>";
  for (const auto& [number, etag] : parts) {
    xml += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + etag +
           "</ETag></Part>";
  }
  xml += "</CompleteMultipartUpload>";
  return send("POST", "/bucket/" + key + "?uploadId=" + id, std::move(headers), {std::move(xml)});
}

}  // namespace outcrop::s3::test
