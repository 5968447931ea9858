#include "tools/bench/lane.h"

#include <fmt/format.h>

#include <iterator>

#include "storage/digest/digest.h"
#include "storage/digest/text.h"

namespace outcrop::bench {
namespace {

constexpr int kTriesMax = 5;
constexpr int kFailuresInARowMax = 50;
constexpr std::chrono::milliseconds kPause{50};

std::string describe(const Error& error) {
  if (!error.detail().empty()) {
    return std::string(error.detail());
  }
  return error.sys_errno() != 0 ? std::string(std::strerror(error.sys_errno()))
                                : std::string(to_string(error.code()));
}

Task<> pause(Executor executor) {
  asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor> timer(executor,
                                                                                          kPause);
  co_await timer.async_wait(use_async);
  co_return ok();
}

}  // namespace

void Tally::merge(const Tally& other) {
  for (std::size_t i = 0; i < kOpCount; ++i) {
    ops[i].merge(other.ops[i]);
  }
  bench::merge(errors, other.errors);
}

Lane::Lane(Run& run, ThreadState& thread, unsigned index, Executor executor)
    : x_run(run),
      x_thread(thread),
      x_index(index),
      x_executor(executor),
      x_client(run.target, run.options, thread.signer, thread.scratch, executor),
      x_random(index) {}

Task<> Lane::call(const Call& call) { co_return co_await x_client.call(call, x_reply); }

std::string Lane::complaint() const {
  const std::string_view code = xml_text(x_reply.body, "Code");
  const std::string_view message = xml_text(x_reply.body, "Message");
  return fmt::format("{} {}{}{}", x_reply.status, code, message.empty() ? "" : ": ", message);
}

void Lane::key_of_set(std::uint64_t number) {
  x_path.assign(x_run.base_path);
  fmt::format_to(std::back_inserter(x_path), "{:08}", number);
}

void Lane::key_of_mine(std::uint64_t number) {
  x_path.assign(x_run.base_path);
  fmt::format_to(std::back_inserter(x_path), "put-{:04}-{:08}", x_index, number);
}

Task<> Lane::head_bucket() {
  x_path = "/" + uri_encode(x_run.options.bucket, true);
  CO_TRYV(co_await call({.method = "HEAD", .path = x_path}));
  if (!x_reply.is_success()) {
    // Also when it is forbidden: unlike HEAD, this answer says why.
    CO_TRYV(co_await create_bucket());
  }
  co_return ok();
}

Task<> Lane::create_bucket() {
  std::string body;
  if (x_run.options.region != "us-east-1") {
    body = "<CreateBucketConfiguration><LocationConstraint>" + x_run.options.region +
           "</LocationConstraint></CreateBucketConfiguration>";
  }
  const std::string hash = digest::to_hex(digest::sha256(as_bytes(body)));
  CO_TRYV(co_await call({.method = "PUT",
                         .path = x_path,
                         .block = as_bytes(body),
                         .body_size = body.size(),
                         .payload_hash = hash}));
  if (xml_text(x_reply.body, "Code") == "BucketAlreadyOwnedByYou") {
    x_reply.status = 200;  // another client was faster
  }
  co_return ok();
}

Task<> Lane::make_bucket() {
  CO_TRYV(co_await must_succeed("find or create bucket", &Lane::head_bucket));
  co_return ok();
}

Task<> Lane::must_succeed(std::string_view what, Task<> (Lane::*step)()) {
  std::string reason;
  for (int attempt = 0; attempt < kTriesMax; ++attempt) {
    x_started = SteadyClock::now();
    const Result<void> done = co_await (this->*step)();
    x_started = {};
    if (done && x_reply.is_success()) {
      co_return ok();
    }
    reason = done ? complaint() : describe(done.error());
    CO_TRYV(co_await pause(x_executor));
  }
  co_return fail(Errc::config, fmt::format("cannot {} {}: {}", what, x_path, reason));
}

Task<> Lane::upload_object() { co_return co_await put(x_run.options.size); }

Task<> Lane::remove_object() { co_return co_await call({.method = "DELETE", .path = x_path}); }

Task<> Lane::prepare() {
  for (;;) {
    const std::uint64_t number = x_run.next_object.fetch_add(1, std::memory_order_relaxed);
    if (number >= x_run.options.objects) {
      co_return ok();
    }
    key_of_set(number);
    CO_TRYV(co_await must_succeed("upload", &Lane::upload_object));
  }
}

Task<> Lane::clean() {
  for (const std::uint64_t number : x_mine) {
    key_of_mine(number);
    CO_TRYV(co_await must_succeed("delete", &Lane::remove_object));
  }
  x_mine.clear();
  for (;;) {
    const std::uint64_t number = x_run.next_object.fetch_add(1, std::memory_order_relaxed);
    if (number >= x_run.options.objects) {
      co_return ok();
    }
    key_of_set(number);
    CO_TRYV(co_await must_succeed("delete", &Lane::remove_object));
  }
}

Task<> Lane::connect() {
  x_started = SteadyClock::now();
  const Result<void> opened = co_await x_client.open();
  x_started = {};
  if (!opened) {
    co_return fail(Errc::config,
                   fmt::format("cannot connect to {}: {}", x_run.target.endpoint.authority,
                               describe(opened.error())));
  }
  co_return ok();
}

bool Lane::take_ticket() {
  const std::uint64_t limit = x_run.options.ops;
  return limit == 0 || x_run.ops_taken.fetch_add(1, std::memory_order_relaxed) < limit;
}

Op Lane::pick() {
  auto dice = static_cast<unsigned>(x_random() % 100);
  for (std::size_t i = 0; i < kOpCount; ++i) {
    if (dice < x_run.options.mix[i]) {
      return static_cast<Op>(i);
    }
    dice -= x_run.options.mix[i];
  }
  return Op::get;
}

Task<> Lane::measure() {
  int failures = 0;
  while (SteadyClock::now() < x_run.deadline && failures < kFailuresInARowMax && take_ticket()) {
    const Op op = pick();
    if (op == Op::del && x_mine.empty()) {
      // Not counted: a delete needs something to delete.
      x_started = SteadyClock::now();
      const Result<void> uploaded = co_await operate(Op::put);
      x_started = {};
      if (!uploaded || !x_reply.is_success()) {
        tally_error(Op::put, uploaded);
        ++failures;
        continue;
      }
    }
    const Result<void> done = co_await timed(op);
    failures = done ? 0 : failures + 1;
    if (!done) {
      CO_TRYV(co_await pause(x_executor));
    }
  }
  co_return ok();
}

Task<> Lane::timed(Op op) {
  x_started = SteadyClock::now();
  Result<void> done = co_await operate(op);
  const auto took = SteadyClock::now() - x_started;
  x_started = {};
  if (!done || !x_reply.is_success()) {
    tally_error(op, done);
    co_return done;
  }
  OpTally& tally = x_thread.tally.ops[static_cast<std::size_t>(op)];
  tally.latency_ns.add(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()));
  tally.bytes += op == Op::put ? x_run.options.size : x_reply.body_bytes;
  co_return ok();
}

void Lane::tally_error(Op op, const Result<void>& done) {
  ++x_thread.tally.ops[static_cast<std::size_t>(op)].errors;
  const std::string label =
      done ? fmt::format("{} {}", x_reply.status, xml_text(x_reply.body, "Code"))
           : describe(done.error());
  ++x_thread.tally.errors[fmt::format("{}: {}", name(op), label)];
}

void Lane::abort_if_stuck(SteadyClock::time_point now) {
  const std::chrono::duration<double> limit(x_run.options.timeout_s);
  if (x_started != SteadyClock::time_point{} && now - x_started > limit) {
    x_client.abort();
  }
}

Task<> Lane::operate(Op op) {
  switch (op) {
    case Op::put:
      co_return co_await put_new();
    case Op::get:
      co_return co_await get();
    case Op::head:
      key_of_set(x_random() % x_run.options.objects);
      co_return co_await call({.method = "HEAD", .path = x_path});
    case Op::list:
      co_return co_await list();
    case Op::del:
      co_return co_await remove();
  }
  co_return fail(Errc::internal);
}

Task<> Lane::put_new() {
  key_of_mine(x_next_mine);
  CO_TRYV(co_await put(x_run.options.size));
  if (x_reply.is_success()) {
    x_mine.push_back(x_next_mine++);
  }
  co_return ok();
}

Call Lane::upload_call(const Payload::Body& body) const {
  Call call{.method = "PUT", .path = x_path};
  call.block = x_run.payload.block();
  call.body_size = body.size;
  call.payload_hash = body.sha256;
  call.checksum_header = digest::header_name(x_run.payload.checksum());
  call.checksum = body.checksum;
  return call;
}

Task<> Lane::put(std::uint64_t size) {
  if (x_run.options.multipart) {
    co_return co_await put_multipart();
  }
  const Call upload = upload_call(x_run.payload.body(size));
  co_return co_await call(upload);
}

Task<> Lane::put_multipart() {
  CO_TRYV(
      co_await call({.method = "POST", .path = x_path, .query = "uploads=", .keep_body = true}));
  if (!x_reply.is_success()) {
    co_return ok();
  }
  const std::string upload_id = uri_encode(xml_text(x_reply.body, "UploadId"), true);
  std::string xml = "<CompleteMultipartUpload>";
  unsigned number = 0;
  for (std::uint64_t at = 0; at < x_run.options.size; at += x_run.options.part_size) {
    std::string etag;
    const std::uint64_t size = std::min(x_run.options.part_size, x_run.options.size - at);
    CO_TRYV(co_await part(upload_id, ++number, size, etag));
    if (!x_reply.is_success()) {
      co_return ok();
    }
    xml += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number, etag);
  }
  xml += "</CompleteMultipartUpload>";
  x_query = "uploadId=" + upload_id;
  CO_TRYV(co_await call({.method = "POST",
                         .path = x_path,
                         .query = x_query,
                         .block = as_bytes(xml),
                         .body_size = xml.size(),
                         .keep_body = true}));
  // CompleteMultipartUpload may answer 200 and put the error into the body.
  if (x_reply.is_success() && !xml_text(x_reply.body, "Code").empty()) {
    x_reply.status = 500;
  }
  co_return ok();
}

Task<> Lane::part(std::string_view upload_id,
                  unsigned number,
                  std::uint64_t size,
                  std::string& etag) {
  x_query = fmt::format("partNumber={}&uploadId={}", number, upload_id);
  Call upload = upload_call(x_run.payload.body(size));
  upload.query = x_query;
  upload.keep_body = true;
  CO_TRYV(co_await call(upload));
  etag = x_reply.etag;
  co_return ok();
}

Task<> Lane::get() {
  key_of_set(x_random() % x_run.options.objects);
  const std::uint64_t range = x_run.options.range_size;
  std::uint64_t expected = x_run.options.size;
  x_query.clear();  // serves as the text of the range here
  if (range > 0) {
    const std::uint64_t from = x_random() % (expected - range + 1);
    fmt::format_to(std::back_inserter(x_query), "bytes={}-{}", from, from + range - 1);
    expected = range;
  }
  CO_TRYV(co_await call({.method = "GET", .path = x_path, .range = x_query}));
  if (x_reply.is_success() && x_reply.body_bytes != expected) {
    co_return fail(Errc::corrupt,
                   fmt::format("{} bytes instead of {}", x_reply.body_bytes, expected));
  }
  co_return ok();
}

Task<> Lane::list() {
  const Options& o = x_run.options;
  const std::string path = "/" + uri_encode(o.bucket, true);
  const std::string prefix = uri_encode(o.prefix, true);
  x_query = fmt::format("list-type=2&max-keys={}&prefix={}&start-after={}{:08}", o.list_keys,
                        prefix, prefix, x_random() % o.objects);
  co_return co_await call({.method = "GET", .path = path, .query = x_query});
}

Task<> Lane::remove() {
  key_of_mine(x_mine.back());
  CO_TRYV(co_await call({.method = "DELETE", .path = x_path}));
  if (x_reply.is_success()) {
    x_mine.pop_back();
  }
  co_return ok();
}

}  // namespace outcrop::bench
