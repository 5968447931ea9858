#include "tests/linear/load.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <random>

#include "storage/base/async.h"
#include "tests/linear/values.h"
#include "tools/selftest/http_client.h"

namespace outcrop::linear {
namespace {

using selftest::HttpClient;
using selftest::Pairs;
using selftest::Reply;
using selftest::Request;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRetry{50};
constexpr unsigned kPageKeys = 3;

std::int64_t now_ns() { return Clock::now().time_since_epoch().count(); }

struct Shared {
  explicit Shared(const LoadOptions& from) : options(from), seen(from.keys, kAbsent) {
    observed.keys.resize(from.keys);
  }
  std::string key(unsigned number) const {
    return fmt::format("{}{:03}", options.server.prefix, number);
  }
  std::string path(unsigned number) const {
    return fmt::format("/{}/{}", options.server.bucket, key(number));
  }
  void problem(std::string what) {
    if (observed.problems.size() < 20) {
      observed.problems.push_back(std::move(what));
    }
  }

  const LoadOptions& options;
  selftest::Stopper stopper;
  Values values;
  std::vector<Value> seen;  ///< of each key, what was seen last: for conditions that often hold
  Observed observed;
};

class Client {
 public:
  Client(Shared& shared, const bench::Target& target, unsigned number, asio::io_context& io)
      : x_shared(shared),
        x_http(target, shared.options.server, shared.stopper, io.get_executor()),
        x_timer(io.get_executor()),
        x_number(number),
        x_random(shared.options.seed * 1000 + number) {}

  Task<> work() {
    while (x_shared.observed.operations < x_shared.options.operations) {
      ++x_shared.observed.operations;
      CO_TRYV(co_await operate());
    }
    co_return ok();
  }

  Task<> look_at(unsigned key) {
    for (std::size_t had = history(key).size(); history(key).size() == had;) {
      CO_TRYV(co_await get(key, "GET"));
    }
    co_return ok();
  }

 private:
  History& history(unsigned key) { return x_shared.observed.keys[key]; }
  unsigned pick(unsigned below) { return static_cast<unsigned>(x_random() % below); }

  Task<> operate() {
    const unsigned key = pick(x_shared.options.keys);
    const unsigned dice = pick(100);
    if (dice < 28) {
      co_return co_await get(key, "GET");
    }
    if (dice < 34) {
      co_return co_await get(key, "HEAD");
    }
    if (dice < 38) {
      co_return co_await list();
    }
    if (dice < 60) {
      co_return co_await put(key, Kind::put);
    }
    if (dice < 68) {
      co_return co_await put(key, Kind::put_if_absent);
    }
    if (dice < 77) {
      co_return co_await put(key, Kind::put_if_match);
    }
    if (dice < 86) {
      co_return co_await remove(key, Kind::remove);
    }
    if (dice < 91) {
      co_return co_await remove(key, Kind::remove_if_match);
    }
    if (dice < 96) {
      co_return co_await copy(key, pick(x_shared.options.keys));
    }
    co_return co_await upload(key);
  }

  /// Sends when there is a server. Nothing: no answer came, and the request may have been carried
  /// out. `began` is the time of its call.
  Task<std::optional<Reply>> ask(Request request, std::int64_t& began) {
    const auto until = Clock::now() + std::chrono::duration<double>(x_shared.options.patience_s);
    while (!x_http.connection().is_open()) {
      if (co_await x_http.connection().open()) {
        break;
      }
      if (Clock::now() > until) {
        co_return fail(Errc::config, "the server does not take connections");
      }
      x_timer.expires_after(kRetry);
      co_await x_timer.async_wait(use_async);
    }
    const std::string what = request.method + " " + request.path;
    began = now_ns();
    Result<Reply> reply = co_await x_http.send(std::move(request));
    if (!reply) {
      ++x_shared.observed.unknown;
      co_return std::nullopt;
    }
    if (reply->status >= 500) {
      ++x_shared.observed.failed;
      co_return std::nullopt;
    }
    co_return std::optional(*std::move(reply));
  }

  void note(unsigned key, Event event, std::int64_t began) {
    event.client = x_number;
    event.call_ns = began;
    event.return_ns = event.outcome == Outcome::unknown ? kNever : now_ns();
    history(key).push_back(event);
    if (event.outcome == Outcome::done && event.kind != Kind::differs) {
      x_shared.seen[key] = event.value;
    }
  }

  /// Done, refused or unknown; nothing for an answer that says neither (409: it lost a race).
  std::optional<Outcome> outcome(const std::optional<Reply>& reply, const std::string& what) {
    if (!reply) {
      return Outcome::unknown;
    }
    if (reply->status / 100 == 2) {
      return Outcome::done;
    }
    if (reply->status == 412 || reply->status == 404) {
      return Outcome::refused;
    }
    if (reply->status != 409) {
      x_shared.problem(what + ": " + reply->text());
    }
    return std::nullopt;
  }

  Task<> get(unsigned key, const char* method) {
    std::int64_t began = 0;
    CO_TRY(const auto reply, co_await ask({.method = method, .path = x_shared.path(key)}, began));
    if (!reply) {
      co_return ok();
    }
    if (reply->status == 404) {
      note(key, {.value = kAbsent}, began);
      co_return ok();
    }
    const auto value = x_shared.values.of_etag(reply->header("etag"));
    if (reply->status != 200 || !value ||
        (*method == 'G' && reply->body != x_shared.values.body(*value))) {
      x_shared.problem(fmt::format("{} {}: {}, ETag {}, {} bytes", method, x_shared.key(key),
                                   reply->text(), reply->header("etag"), reply->body.size()));
      co_return ok();
    }
    note(key, {.value = *value}, began);
    co_return ok();
  }

  Value new_value(bool in_parts) {
    constexpr std::array<std::size_t, 8> kSizes{17, 17, 200, 200, 3000, 5000, 40'000, 300'000};
    return x_shared.values.make(kSizes[pick(kSizes.size())], in_parts);
  }

  Task<> put(unsigned key, Kind kind) {
    Event event{.kind = kind, .value = new_value(false)};
    Request request{
        .method = "PUT", .path = x_shared.path(key), .body = x_shared.values.body(event.value)};
    if (kind == Kind::put_if_absent) {
      request.headers.emplace_back("if-none-match", "*");
    } else if (kind == Kind::put_if_match) {
      event.expected = x_shared.seen[key];
      if (event.expected == kAbsent) {
        co_return ok();
      }
      request.headers.emplace_back("if-match", x_shared.values.etag(event.expected));
    }
    co_return co_await change(key, std::move(request), event);
  }

  Task<> remove(unsigned key, Kind kind) {
    Event event{.kind = kind};
    Request request{.method = "DELETE", .path = x_shared.path(key)};
    if (kind == Kind::remove_if_match) {
      event.expected = x_shared.seen[key];
      if (event.expected == kAbsent) {
        co_return ok();
      }
      request.headers.emplace_back("if-match", x_shared.values.etag(event.expected));
    }
    co_return co_await change(key, std::move(request), event);
  }

  Task<> change(unsigned key, Request request, Event event) {
    const std::string what = request.method + " " + request.path;
    std::int64_t began = 0;
    CO_TRY(const auto reply, co_await ask(std::move(request), began));
    if (const auto came = outcome(reply, what)) {
      event.outcome = *came;
      note(key, event, began);
    }
    co_return ok();
  }

  /// Of a value that is known, or it could not be said what an unanswered one wrote.
  Task<> copy(unsigned from, unsigned to) {
    const Value value = x_shared.seen[from];
    if (value == kAbsent || value % 2 != 0 || from == to) {
      co_return ok();
    }
    std::int64_t began = 0;
    CO_TRY(const auto reply,
           co_await ask({.method = "PUT",
                         .path = x_shared.path(to),
                         .headers = {{"x-amz-copy-source", x_shared.path(from)},
                                     {"x-amz-copy-source-if-match", x_shared.values.etag(value)}}},
                        began));
    const auto came = outcome(reply, "copy to " + x_shared.key(to));
    if (came == Outcome::refused) {
      note(from, {.kind = Kind::differs, .expected = value}, began);
    } else if (came) {
      note(to, {.kind = Kind::put, .outcome = *came, .value = value}, began);
      if (came == Outcome::done) {
        note(from, {.kind = Kind::read, .value = value}, began);
      }
    }
    co_return ok();
  }

  Task<> upload(unsigned key) {
    std::int64_t began = 0;
    const std::string path = x_shared.path(key);
    CO_TRY(const auto created,
           co_await ask({.method = "POST", .path = path, .query = {{"uploads", ""}}}, began));
    if (!created) {
      co_return ok();
    }
    const std::string id(bench::xml_text(created->body, "UploadId"));
    const Value value = new_value(true);
    CO_TRY(const auto part, co_await ask({.method = "PUT",
                                          .path = path,
                                          .query = {{"partNumber", "1"}, {"uploadId", id}},
                                          .body = x_shared.values.body(value)},
                                         began));
    if (!part) {
      co_return ok();
    }
    std::string list = fmt::format(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>"
        "</CompleteMultipartUpload>",
        part->header("etag"));
    co_return co_await change(
        key, {.method = "POST", .path = path, .query = {{"uploadId", id}}, .body = std::move(list)},
        {.kind = Kind::put, .value = value});
  }

  /// A page says of each key of its range that it is there, and what it is, or that it is not.
  Task<> list() {
    std::string after;
    for (unsigned next = 0; next < x_shared.options.keys;) {
      std::int64_t began = 0;
      Pairs query{{"list-type", "2"},
                  {"prefix", x_shared.options.server.prefix},
                  {"max-keys", std::to_string(kPageKeys)}};
      if (!after.empty()) {
        query.emplace_back("continuation-token", after);
      }
      CO_TRY(const auto reply,
             co_await ask({.path = "/" + x_shared.options.server.bucket, .query = query}, began));
      if (!reply) {
        co_return ok();
      }
      if (reply->status != 200) {
        x_shared.problem("list: " + reply->text());
        co_return ok();
      }
      note_page(reply->body, next, began);
      after = bench::xml_text(reply->body, "NextContinuationToken");
      if (after.empty()) {
        co_return ok();
      }
    }
    co_return ok();
  }

  /// `next`: the first key that the page may have; then, that the next one may.
  void note_page(std::string_view xml, unsigned& next, std::int64_t began) {
    const bool more = bench::xml_text(xml, "IsTruncated") == "true";
    for (std::size_t at = xml.find("<Contents>"); at != std::string_view::npos;
         at = xml.find("<Contents>", at + 1)) {
      const std::string_view entry = xml.substr(at, xml.find("</Contents>", at) - at);
      std::string etag(bench::xml_text(entry, "ETag"));
      for (std::size_t quote = 0; (quote = etag.find("&quot;")) != std::string::npos;) {
        etag.replace(quote, 6, "\"");
      }
      const auto value = x_shared.values.of_etag(etag);
      const std::string_view key = bench::xml_text(entry, "Key");
      unsigned number = next;
      while (number < x_shared.options.keys && x_shared.key(number) != key) {
        ++number;
      }
      if (!value || number == x_shared.options.keys) {
        x_shared.problem(fmt::format("list: {} with {}", key, etag));
        return;
      }
      for (; next < number; ++next) {
        note(next, {.value = kAbsent}, began);
      }
      note(next++, {.value = *value}, began);
    }
    for (; !more && next < x_shared.options.keys; ++next) {
      note(next, {.value = kAbsent}, began);
    }
  }

  Shared& x_shared;
  HttpClient x_http;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> x_timer;
  const unsigned x_number;
  std::mt19937_64 x_random;
};

}  // namespace

Result<Observed> load(const LoadOptions& options) {
  TRY(const bench::Target target, bench::Target::make(options.server));
  asio::io_context io{1};
  Shared shared(options);
  std::vector<std::unique_ptr<Client>> clients;
  for (unsigned i = 0; i < options.clients; ++i) {
    clients.push_back(std::make_unique<Client>(shared, target, i, io));
  }
  const auto all = [&]() -> Task<> {
    TaskGroup group(io.get_executor());
    for (const auto& client : clients) {
      group.spawn(client->work());
    }
    CO_TRYV(co_await group.join());
    for (unsigned key = 0; key < options.keys; ++key) {
      CO_TRYV(co_await clients[0]->look_at(key));
    }
    co_return ok();
  };
  TRYV(run_on(io, all()));
  return std::move(shared.observed);
}

}  // namespace outcrop::linear
