#include "server/admin_sources.h"

namespace outcrop::server {
namespace {

struct Exports {
  Runtime& runtime;
  const std::unique_ptr<NfsServer>& nfs;

  Task<std::string> list() const {
    const NfsServer& server = *nfs;
    co_return co_await runtime.pool().run(
        [&server] { return Result<std::string>(server.list_exports()); });
  }
  Task<std::string> add(std::string json) const {
    NfsServer& server = *nfs;
    co_return co_await runtime.pool().run([&] { return server.add_export(json); });
  }
  Task<> remove(std::string path) const {
    NfsServer& server = *nfs;
    co_return co_await runtime.pool().run([&] { return server.remove_export(path); });
  }
  Task<std::string> rotate_key(bool force) const {
    NfsServer& server = *nfs;
    co_return co_await runtime.pool().run([&server, force] { return server.rotate_key(force); });
  }
};

struct Tokens {
  Runtime& runtime;
  TokenRegistry& tokens;

  Task<std::string> list() const { co_return tokens.list(); }
  Task<std::string> create(std::string json) const {
    TokenRegistry& registry = tokens;
    co_return co_await runtime.pool().run([&] { return registry.create(json); });
  }
  Task<> revoke(std::string id) const {
    TokenRegistry& registry = tokens;
    co_return co_await runtime.pool().run([&] { return registry.revoke(id); });
  }
};

}  // namespace

admin::ExportSource export_source(Runtime& runtime, const std::unique_ptr<NfsServer>& nfs) {
  auto exports = std::make_shared<const Exports>(runtime, nfs);
  return {.list = [exports] { return exports->list(); },
          .add = [exports](std::string json) { return exports->add(std::move(json)); },
          .remove = [exports](std::string path) { return exports->remove(std::move(path)); },
          .rotate_key = [exports](bool force) { return exports->rotate_key(force); }};
}

admin::TokenSource token_source(Runtime& runtime, TokenRegistry& tokens) {
  auto source = std::make_shared<const Tokens>(runtime, tokens);
  return {.list = [source] { return source->list(); },
          .create = [source](std::string json) { return source->create(std::move(json)); },
          .revoke = [source](std::string id) { return source->revoke(std::move(id)); }};
}

}  // namespace outcrop::server
