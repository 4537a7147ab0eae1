package admission

import (
	"container/list"
	"math/bits"
	"net/netip"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
)

// class is a class of callers with its queue. It is guarded by the mu of its Limiter.
type class struct {
	Class
	name    string
	running int // operations that are executed, without those that wait
	waiting int // operations that wait for services, or for their turn after that
	queue   queue
	turns   float64 // turns that the class has had from the queue, divided by its weight; compared with others' only
	freed   engine.Throughput
	callers map[callerKey]*callerCount // only of callers that have operations
}

// isIdle reports whether the class has no operation.
func (c *class) isIdle() bool { return c.running+c.waiting+c.queue.Len() == 0 }

// isFull reports whether the class has as many operations as it may.
func (c *class) isFull() bool { return c.MaxOperations > 0 && c.running+c.waiting >= c.MaxOperations }

// isBefore reports whether the next turn is that of c rather than of d, of which both have operations
// in their queues: the turn of the class that has less of its share. Of equals, that which has had
// fewer turns.
func (c *class) isBefore(d *class) bool {
	if c.running*d.Weight != d.running*c.Weight {
		return c.running*d.Weight < d.running*c.Weight
	}
	return c.turns < d.turns
}

// queuesMoreThan reports whether the queue of c is longer than that of d in relation to their weights.
func (c *class) queuesMoreThan(d *class) bool {
	return c.queue.Len()*d.Weight > d.queue.Len()*c.Weight
}

// magnitudes is how many magnitudes of cost there are.
const magnitudes = 64

// magnitude returns the number of bits of a cost. Costs of one magnitude are treated as equal, so that
// the order of arrival decides between operations that cost about the same.
func magnitude(cost int64) int { return bits.Len64(uint64(max(cost, 0))) }

// queue has the turns of a class that are to come, in the order of arrival.
type queue struct {
	list.List                 // of *Turn
	sizes     [magnitudes]int // how many there are by the magnitude of their cost
	present   uint64          // the magnitudes of which there are some, as bits
}

func (q *queue) push(t *Turn) {
	t.place.in = q.PushBack(t)
	m := magnitude(t.cost)
	q.sizes[m]++
	q.present |= 1 << m
}

func (q *queue) remove(t *Turn) {
	q.Remove(t.place.in)
	m := magnitude(t.cost)
	if q.sizes[m]--; q.sizes[m] == 0 {
		q.present &^= 1 << m
	}
}

func (q *queue) first() *Turn { return q.Front().Value.(*Turn) }

// highest returns the greatest magnitude in a queue that is not empty.
func (q *queue) highest() int { return bits.Len64(q.present) - 1 }

// newestOf returns the turn of a magnitude that came last. There is one.
func (q *queue) newestOf(m int) *Turn {
	e := q.Back()
	for magnitude(e.Value.(*Turn).cost) != m {
		e = e.Prev()
	}
	return e.Value.(*Turn)
}

// callerKey identifies a caller among those of its class. The zero value is that of a caller who is not
// known.
type callerKey struct {
	issuer, subject string
	network         netip.Prefix // of a caller without a subject
}

// callerCount counts the operations of a caller that are executed or queue.
type callerCount struct {
	key callerKey
	n   int // more than 0
}

func keyOf(c *caller.Caller) callerKey {
	if c == nil {
		return callerKey{}
	}
	if c.Identity != nil && c.Identity.Subject != "" {
		issuer, _ := c.Identity.Claims["iss"].(string)
		return callerKey{issuer: issuer, subject: c.Identity.Subject}
	}
	return callerKey{network: c.NetworkKey()}
}
