package resolvers

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
	"github.com/gatehouse-graphql/gatehouse/graph/model"
)

// Person resolves Query.person: the caller as an account, others as users.
func (r queryResolver) Person(ctx context.Context, id string) (model.Person, error) {
	if caller := auth.FromContext(ctx); caller != nil && caller.Subject == id {
		account, err := r.Me(ctx)
		if account == nil {
			return nil, err // not an interface that holds a nil account
		}
		return account, err
	}
	user, err := r.User(ctx, id)
	if user == nil {
		return nil, err
	}
	return user, err
}

// maxOrders is how many orders of a user lifetimeValue adds up: the most that the service
// returns.
const maxOrders = 50

// LifetimeValue resolves User.lifetimeValue by the resolver of User.orders: a handwritten
// resolver may call another one. An operation that selects both with the same limit makes one
// call.
func (r userResolver) LifetimeValue(ctx context.Context, users []*model.User) ([]*model.Money, error) {
	limit := maxOrders
	histories, err := r.Orders(ctx, users, &limit)
	if histories == nil {
		return nil, err
	}
	failures := make(graphql.BatchErrorList, len(users)) // one for each user
	if some, ok := errors.AsType[graphql.BatchErrorList](err); ok {
		copy(failures, some)
	}
	faults := engine.FaultsOf(ctx)
	sums := make([]*model.Money, len(users))
	for i, orders := range histories {
		if failures[i] == nil {
			sums[i], failures[i] = total(faults, orders)
		}
	}
	return sums, failures
}

// total returns the sum of the orders that are not cancelled, nil if there are none. A value
// that did not fit the graph is zero here and recorded in faults, so that total checks these
// first.
func total(faults *decode.Faults, orders []*model.Order) (*model.Money, error) {
	var currency string
	sum := new(big.Rat)
	for _, o := range orders {
		if err := faults.FieldFault(o, "status", "total"); err != nil {
			return nil, err
		}
		if o.Status == model.OrderStatusCancelled {
			continue
		}
		if err := faults.FieldFault(o.Total, "amount", "currency"); err != nil {
			return nil, err
		}
		amount, ok := new(big.Rat).SetString(string(o.Total.Amount))
		if !ok || currency != "" && currency != o.Total.Currency {
			return nil, fmt.Errorf("order %s: %s %s cannot be added to %s", o.ID, o.Total.Amount, o.Total.Currency, currency)
		}
		currency = o.Total.Currency
		sum.Add(sum, amount)
	}
	if currency == "" {
		return nil, nil
	}
	return &model.Money{Amount: scalar.Decimal(sum.FloatString(2)), Currency: currency}, nil
}
