package ratelimit

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/gatehouse-graphql/gatehouse/store"
)

// script decides about all charges of a request in one step, by the clock of Redis.
//
//go:embed take.lua
var scriptText string

var script = store.NewScript(scriptText)

// hashTag is in all keys, so that those of one request are on one node of a cluster.
const hashTag = "{ratelimit}:"

// argumentsPerCharge is the number of the script's arguments for each key.
const argumentsPerCharge = 5

// takeFromStore decides about charges in Redis, and writes the status of each.
func takeFromStore(ctx context.Context, s *store.Store, c *charges) error {
	keys := make([]string, len(c.list))
	args := make([]any, 0, argumentsPerCharge*len(c.list))
	for i := range c.list {
		charge := &c.list[i]
		keys[i] = storeKey(charge.window.id, c.text[charge.from:charge.to])
		l := charge.window.Limit
		args = append(args, charge.group, l.Quantity, l.Period.Microseconds(), l.Burst, charge.quantity)
	}
	result, err := s.Eval(ctx, script, keys, args...)
	if err != nil {
		return err
	}
	return c.readReply(result)
}

// storeKey returns the key in Redis. It shows operators the limit, and of the subject a hash.
func storeKey(id string, text []byte) string {
	sum := sha256.Sum256(text)
	return hashTag + id + ":" + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// valuesPerCharge is the number of values in the script's reply for each key.
const valuesPerCharge = 3

// readReply reads the reply of the script. It has no values of the groups after a refusal of the whole request.
func (c *charges) readReply(reply any) error {
	values, _ := reply.([]any)
	if len(values) == 0 || len(values)%valuesPerCharge != 0 || len(values) > valuesPerCharge*len(c.list) {
		return fmt.Errorf("the script of rate limits replied %d values for %d keys", len(values), len(c.list))
	}
	for i := 0; i < len(values)/valuesPerCharge; i++ {
		taken, _ := values[valuesPerCharge*i].(int64)
		used, _ := values[valuesPerCharge*i+1].(int64)
		wait, _ := values[valuesPerCharge*i+2].(int64)
		charge := &c.list[i]
		charge.decided = true
		charge.status = status{
			refused: taken == 0, remaining: max(charge.window.Burst-used, 0), wait: time.Duration(wait) * time.Microsecond,
		}
	}
	return nil
}
