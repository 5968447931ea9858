#include "tests/unit/auth/support.h"

#include <algorithm>
#include <cstdio>

#include "auth/crypto.h"
#include "auth/signing_key.h"
#include "auth/uri.h"

namespace outcrop::auth::test {
namespace {

std::string hex_size(std::size_t size) {
  char text[32];
  std::snprintf(text, sizeof text, "%zx", size);
  return text;
}

/// (SignedHeaders, "name:value\n"...), of the headers that are to be signed.
std::pair<std::string, std::string> header_block(const http::Request& request,
                                                 const SignOptions& options) {
  std::vector<http::Header> sorted;
  for (const http::Header& header : request.headers) {
    if (header.name != "authorization" &&
        std::ranges::find(options.leave_unsigned, header.name) == options.leave_unsigned.end()) {
      sorted.push_back(header);
    }
  }
  std::ranges::sort(sorted, {}, &http::Header::name);
  std::string names, block;
  for (const http::Header& header : sorted) {
    names.append(names.empty() ? "" : ";").append(header.name);
    block.append(header.name).append(":").append(header.value).append("\n");
  }
  return {names, block};
}

std::string signature(const http::Request& request,
                      std::string_view query,
                      const SignOptions& options) {
  const auto [names, block] = header_block(request, options);
  const std::string_view target = request.target;
  std::string canonical = request.method + "\n";
  canonical.append(target.substr(0, target.find('?'))).append("\n").append(query).append("\n");
  canonical.append(block).append("\n").append(names).append("\n").append(options.payload);
  const std::string text = "AWS4-HMAC-SHA256\n" + options.stamp + "\n" + options.scope + "\n" +
                           to_hex(sha256(canonical));
  return hmac_hex(options.secret, options.scope, text);
}

/// "a&b=1" as "a=&b=1", sorted; the text is encoded already.
std::string sorted_query(std::string_view query) {
  std::vector<std::string> pairs;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    pairs.emplace_back(pair);
    if (pair.find('=') == std::string_view::npos) {
      pairs.back().append("=");
    }
  }
  std::ranges::sort(pairs);
  std::string joined;
  for (const std::string& pair : pairs) {
    joined.append(joined.empty() ? "" : "&").append(pair);
  }
  return joined;
}

std::string query_of(const http::Request& request) {
  const std::size_t mark = request.target.find('?');
  return mark == std::string::npos ? "" : request.target.substr(mark + 1);
}

}  // namespace

http::Request make_request(std::string method,
                           std::string target,
                           std::initializer_list<http::Header> headers) {
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = headers;
  return request;
}

void set_header(http::Request& request, std::string_view name, std::string value) {
  drop_header(request, name);
  request.headers.push_back({std::string(name), std::move(value)});
}

void drop_header(http::Request& request, std::string_view name) {
  std::erase_if(request.headers, [&](const http::Header& header) { return header.name == name; });
}

std::string hmac_hex(std::string_view secret, std::string_view scope, std::string_view text) {
  std::string key = "AWS4" + std::string(secret);
  for (std::string_view rest = scope; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const Digest next = HmacKey(key).sign(part);
    key.assign(reinterpret_cast<const char*>(next.data()), next.size());
  }
  return to_hex(HmacKey(key).sign(text));
}

void sign_by_header(http::Request& request, const SignOptions& options) {
  drop_header(request, "authorization");
  const std::string names = header_block(request, options).first;
  const std::string hex = signature(request, sorted_query(query_of(request)), options);
  request.headers.push_back({"authorization", "AWS4-HMAC-SHA256 Credential=" + options.access_key +
                                                  "/" + options.scope + ", SignedHeaders=" + names +
                                                  ", Signature=" + hex});
}

void sign_by_query(http::Request& request, const SignOptions& options) {
  std::string query = query_of(request);
  query.append(query.empty() ? "" : "&").append("X-Amz-Algorithm=AWS4-HMAC-SHA256");
  query.append("&X-Amz-Credential=");
  uri_encode(options.access_key + "/" + options.scope, Slash::encode, query);
  query.append("&X-Amz-Date=" + options.stamp + "&X-Amz-Expires=" + options.expires);
  query.append("&X-Amz-SignedHeaders=");
  uri_encode(header_block(request, options).first, Slash::encode, query);
  request.target = request.target.substr(0, request.target.find('?')) + "?" + query;
  const std::string hex = signature(request, sorted_query(query), options);
  request.target += "&X-Amz-Signature=" + hex;
}

http::Request signed_request(std::string method,
                             std::string target,
                             std::initializer_list<http::Header> headers,
                             const SignOptions& options) {
  http::Request request = make_request(std::move(method), std::move(target), headers);
  request.headers.push_back({"host", std::string(kDocHost)});
  request.headers.push_back({"x-amz-date", options.stamp});
  request.headers.push_back({"x-amz-content-sha256", options.payload});
  sign_by_header(request, options);
  return request;
}

ChunkSigning doc_chunk_signing() {
  ChunkSigning signing;
  signing.signing_key =
      derive_signing_key(kDocCredential.secret_key, "20130524", "us-east-1").bytes;
  signing.seed_signature = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
  signing.timestamp = kDocStamp;
  signing.scope = kDocScope;
  return signing;
}

std::string encode_signed(const ChunkSigning& signing, const ChunkedBody& body) {
  const HmacKey key(signing.signing_key);
  std::string previous = signing.seed_signature;
  const std::string stem = "\n" + signing.timestamp + "\n" + signing.scope + "\n";
  std::string out;
  std::vector<std::string> chunks = body.chunks;
  chunks.emplace_back();
  for (const std::string& chunk : chunks) {
    previous = to_hex(key.sign("AWS4-HMAC-SHA256-PAYLOAD" + stem + previous + "\n" +
                               std::string(kEmptySha256) + "\n" + to_hex(sha256(chunk))));
    out += hex_size(chunk.size()) + ";chunk-signature=" + previous + "\r\n" + chunk;
    out += chunk.empty() ? "" : "\r\n";
  }
  if (body.with_trailer) {
    std::string lines;
    for (const http::Header& trailer : body.trailers) {
      lines += trailer.name + ":" + trailer.value + "\n";
      out += trailer.name + ":" + trailer.value + "\r\n";
    }
    out += "x-amz-trailer-signature:" +
           to_hex(key.sign("AWS4-HMAC-SHA256-TRAILER" + stem + previous + "\n" +
                           to_hex(sha256(lines)))) +
           "\r\n";
  }
  return out + "\r\n";
}

std::string encode_unsigned(const ChunkedBody& body) {
  std::string out;
  for (const std::string& chunk : body.chunks) {
    out += hex_size(chunk.size()) + "\r\n" + chunk + "\r\n";
  }
  out += "0\r\n";
  for (const http::Header& trailer : body.trailers) {
    out += trailer.name + ":" + trailer.value + "\r\n";
  }
  return out + "\r\n";
}

}  // namespace outcrop::auth::test
