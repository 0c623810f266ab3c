// Plays the stories of tests/Polyglot/scenarios against a server; README.md there tells what a step means.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>

#include <google/protobuf/util/time_util.h>

#include "placeholders.h"
#include "server.h"
#include "test_door.h"

using nlohmann::json;

namespace {

// C++'s expressions cannot look behind: the neighbours are matched, and the middle is taken.
const std::map<std::string, std::regex> kPatterns = {
    {"code", std::regex("(?:^|[^0-9])([0-9]{6})(?![0-9])")},
    {"token", std::regex(R"((?:^|[^\w-])([\w-]{43})(?![\w-]))")},
};

json AtPath(const json& reply, const std::string& path) {
  const auto dot = path.find('.');
  const auto part = path.substr(0, dot);
  if (!reply.is_object() || !reply.contains(part)) return nullptr;
  return dot == std::string::npos ? reply.at(part) : AtPath(reply.at(part), path.substr(dot + 1));
}

class Story {
 public:
  Story(const json& world, std::map<std::string, Server>& servers, const TestDoor& tests, json saved)
      : world_(world), servers_(servers), tests_(tests), placeholders_(std::move(saved)) {}

  void Play(const json& steps) {
    for (const auto& step : steps) {
      if (step.contains("call")) {
        Call(step);
      } else if (step.contains("advance")) {
        tests_.Advance(step["advance"]);
      } else if (step.contains("until")) {
        tests_.Advance(step["until"].get<long>() - tests_.Now() % step["until"].get<long>());
      } else if (step.contains("message")) {
        ReadMessage(step);
      } else {
        for (int i = 0; i < step["repeat"]; i++) Play(step["steps"]);
      }
    }
  }

 private:
  void Call(const json& step) {
    const std::string rpc = step["call"];
    auto& server = servers_.at(step.value("at", "main"));
    const std::string credential = server.key.empty() ? world_["callers"][step.value("as", "all")].get<std::string>() : server.key;
    const long now = tests_.Now();
    json reply;
    const json got = server.Call(rpc, placeholders_.Fill(step["request"], now), credential, &reply);
    if (!got.is_null()) {
      std::cout << rpc << " " << got["status"].get<std::string>() << " " << got["reason"].get<std::string>() << std::endl;
      json wanted = {{"status", "OK"}, {"reason", ""}, {"fields", json::array()}, {"limit", ""}, {"retry", nullptr}};
      wanted.update(step.value("error", json::object()));
      if (wanted != got) throw std::runtime_error("expected " + wanted.dump() + ", got " + got.dump());
      return;
    }
    std::cout << rpc << " OK " << reply.value("verdict", reply.value("state", "")) << std::endl;
    if (step.contains("error")) throw std::runtime_error(rpc + " succeeded, expected " + step["error"].dump());
    for (const auto& [path, wanted] : step["reply"].items()) Expect(path, wanted, AtPath(reply, path), now);
    const json save = step.value("save", json::object());
    for (const auto& [name, path] : save.items()) placeholders_.Save(name, AtPath(reply, path));
  }

  void Expect(const std::string& path, const json& wanted, const json& got, long now) {
    bool right;
    if (!wanted.is_object()) {
      right = got == placeholders_.Fill(wanted, now);
    } else if (wanted.contains("set")) {
      right = (!got.is_null() && got != "") == wanted["set"].get<bool>();
    } else if (wanted.contains("count")) {
      right = got.size() == wanted["count"];
    } else {
      google::protobuf::Timestamp time;
      right = got.is_string() && google::protobuf::util::TimeUtil::FromString(got, &time) && time.seconds() == now + wanted["in"].get<long>();
    }
    if (!right) throw std::runtime_error(path + ": expected " + wanted.dump() + ", got " + got.dump());
  }

  void ReadMessage(const json& step) {
    const auto messages = json::parse(tests_.Messages(placeholders_.Fill(step["message"], 0)));
    const auto count = step.value("count", messages.size());
    if (messages.size() != count) throw std::runtime_error("expected " + std::to_string(count) + " messages, got " + std::to_string(messages.size()));
    const auto pattern = kPatterns.find(step["find"]);
    if (pattern == kPatterns.end()) return;
    const std::string text = messages.back()["text"];
    std::smatch found;
    if (!std::regex_search(text, found, pattern->second)) throw std::runtime_error("no " + pattern->first + " in the newest message");
    placeholders_.Save(step["save"], found[1].str());
  }

  const json& world_;
  std::map<std::string, Server>& servers_;
  const TestDoor& tests_;
  Placeholders placeholders_;
};

}  // namespace

int main(int, char** words) {
  const auto world = json::parse(std::ifstream(words[1]));
  const TestDoor tests(world["web"], world["callers"]["all"]);
  std::map<std::string, Server> servers;
  for (const auto& [name, server] : world["servers"].items()) servers.emplace(std::piecewise_construct, std::forward_as_tuple(name), std::forward_as_tuple(server));
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(world["scenarios"].get<std::string>())) files.push_back(entry.path());
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.string() < b.string(); });
  int failed = 0;
  for (std::size_t index = 0; index < files.size(); index++) {
    const auto name = files[index].stem().string();
    const auto account = world["language"].get<std::string>() + "-" + name;
    const auto number = std::to_string(index);
    try {
      Story story(world, servers, tests, {{"account", account}, {"other", account + "-other"}, {"email", account + "@example.org"},
                                          {"phone", world["phones"].get<std::string>() + std::string(4 - number.size(), '0') + number}});
      story.Play(json::parse(std::ifstream(files[index]))["steps"]);
      std::cout << "ok " << name << std::endl;
    } catch (const std::exception& wrong) {
      failed = 1;
      std::cout << "FAILED " << name << ": " << wrong.what() << std::endl;
    }
  }
  return failed;
}
