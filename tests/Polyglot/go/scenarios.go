// Plays the stories of tests/Polyglot/scenarios against a server; README.md there tells what a step means.
package main

import (
	"encoding/json"
	"fmt"
	"io/ioutil"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"time"
)

type world struct {
	Language, Phones, Scenarios, Web string
	Servers                          map[string]struct{ Address, Ca, Key string }
	Callers                          map[string]string
}

type object = map[string]interface{}

type step struct {
	Call, As, At, Message, Find string
	Request, Reply, Error       object
	Save                        json.RawMessage
	Advance, Until, Repeat      int64
	Count                       *int
	Steps                       []step
}

var patterns = map[string]*regexp.Regexp{
	"code":  regexp.MustCompile(`(?:^|[^0-9])([0-9]{6})(?:[^0-9]|$)`),
	"token": regexp.MustCompile(`(?:^|[^\w-])([\w-]{43})(?:[^\w-]|$)`),
}

type story struct {
	world   *world
	servers map[string]*server
	saved   object
}

func (s *story) play(steps []step) error {
	for _, step := range steps {
		var err error
		switch {
		case step.Call != "":
			err = s.call(step)
		case step.Advance > 0:
			_, err = s.test("POST", fmt.Sprintf("clock?advance=%d", step.Advance))
		case step.Until > 0:
			_, err = s.test("POST", fmt.Sprintf("clock?advance=%d", step.Until-s.now()%step.Until))
		case step.Message != "":
			err = s.readMessage(step)
		default:
			for i := int64(0); i < step.Repeat && err == nil; i++ {
				err = s.play(step.Steps)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *story) call(step step) error {
	at := s.servers[either(step.At, "main")]
	credential := either(at.key, s.world.Callers[either(step.As, "all")])
	now := s.now()
	reply, failed := at.call(step.Call, s.fill(step.Request, now), credential)
	if failed != nil {
		got := readError(failed)
		fmt.Println(step.Call, got["status"], got["reason"])
		wanted := object{"status": "OK", "reason": "", "fields": []interface{}{}, "limit": "", "retry": nil}
		for part, value := range step.Error {
			wanted[part] = value
		}
		if !reflect.DeepEqual(wanted, got) {
			return fmt.Errorf("expected %v, got %v", wanted, got)
		}
		return nil
	}
	fmt.Println(step.Call, "OK", either(text(reply["verdict"]), text(reply["state"])))
	if step.Error != nil {
		return fmt.Errorf("%s succeeded, expected %v", step.Call, step.Error["reason"])
	}
	for path, wanted := range step.Reply {
		if got := atPath(reply, path); !s.isAsTold(wanted, got, now) {
			return fmt.Errorf("%s: expected %v, got %v", path, wanted, got)
		}
	}
	var save map[string]string
	if step.Save != nil {
		if err := json.Unmarshal(step.Save, &save); err != nil {
			return err
		}
	}
	for name, path := range save {
		s.saved[name] = atPath(reply, path)
	}
	return nil
}

func (s *story) isAsTold(wanted, got interface{}, now int64) bool {
	if what, ok := wanted.(object); ok {
		if set, ok := what["set"]; ok {
			return (got != nil && got != "") == set
		}
		if count, ok := what["count"]; ok {
			list, _ := got.([]interface{})
			return float64(len(list)) == count
		}
		then, err := time.Parse(time.RFC3339, text(got))
		return err == nil && float64(then.Unix()-now) == what["in"]
	}
	return reflect.DeepEqual(s.fill(wanted, now), got)
}

func (s *story) readMessage(step step) error {
	reply, err := s.test("GET", "messages?to="+url.QueryEscape(text(s.fill(step.Message, 0))))
	if err != nil {
		return err
	}
	var messages []struct{ Text string }
	if err := json.Unmarshal(reply, &messages); err != nil {
		return err
	}
	if step.Count != nil && len(messages) != *step.Count {
		return fmt.Errorf("expected %d messages, got %d", *step.Count, len(messages))
	}
	if pattern := patterns[step.Find]; pattern != nil {
		found := pattern.FindStringSubmatch(messages[len(messages)-1].Text)
		if found == nil {
			return fmt.Errorf("no %s in the newest message", step.Find)
		}
		var name string
		if err := json.Unmarshal(step.Save, &name); err != nil {
			return err
		}
		s.saved[name] = found[1]
	}
	return nil
}

func (s *story) now() int64 {
	reply, err := s.test("GET", "clock")
	var now int64
	if err == nil {
		err = json.Unmarshal(reply, &now)
	}
	if err != nil {
		panic(err)
	}
	return now
}

func (s *story) test(method, what string) ([]byte, error) {
	request, err := http.NewRequest(method, s.world.Web+"/test/"+what, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("authorization", s.world.Callers["all"])
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", what, reply.Status)
	}
	return ioutil.ReadAll(reply.Body)
}

func atPath(reply interface{}, path string) interface{} {
	for _, part := range strings.Split(path, ".") {
		message, ok := reply.(object)
		if !ok {
			return nil
		}
		reply = message[part]
	}
	return reply
}

func text(value interface{}) string {
	text, _ := value.(string)
	return text
}

func either(one, other string) string {
	if one != "" {
		return one
	}
	return other
}

func read(file string, into interface{}) error {
	bytes, err := ioutil.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(bytes, into)
}

func main() {
	var w world
	if err := read(os.Args[1], &w); err != nil {
		panic(err)
	}
	servers := map[string]*server{}
	for name, at := range w.Servers {
		servers[name] = connect(at.Address, at.Ca, at.Key)
	}
	files, _ := filepath.Glob(w.Scenarios + "/*.json")
	sort.Strings(files)
	code := 0
	for index, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		account := w.Language + "-" + name
		s := story{&w, servers, object{
			"account": account, "other": account + "-other", "email": account + "@example.org", "phone": fmt.Sprintf("%s%04d", w.Phones, index),
		}}
		var told struct{ Steps []step }
		err := read(file, &told)
		if err == nil {
			err = s.play(told.Steps)
		}
		if err != nil {
			code = 1
			fmt.Printf("FAILED %s: %v\n", name, err)
			continue
		}
		fmt.Println("ok", name)
	}
	os.Exit(code)
}
