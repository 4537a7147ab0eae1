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

// Person answers Query.person: yourself as an account, anybody else as a user.
func (r queryResolver) Person(ctx context.Context, id string) (model.Person, error) {
	if who := auth.From(ctx); who != nil && who.Subject == id {
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

// historyOf is how many orders lifetimeValue looks at: as many as the service gives.
const historyOf = 50

// LifetimeValue answers User.lifetimeValue from what answers User.orders: a resolver by
// hand may ask another one. Where both are asked with the same limit, one call does.
func (r userResolver) LifetimeValue(ctx context.Context, users []*model.User) ([]*model.Money, error) {
	limit := historyOf
	histories, err := r.Orders(ctx, users, &limit)
	if histories == nil {
		return nil, err
	}
	failures := make(graphql.BatchErrorList, len(users)) // one user's leave the others' sums alone
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

// total adds up what orders came to, cancelled ones left out; nil when there is none. What
// the service sent wrong is in faults, and must not be taken for a number.
func total(faults *decode.Faults, orders []*model.Order) (*model.Money, error) {
	var currency string
	sum := new(big.Rat)
	for _, o := range orders {
		if err := faults.Err(o, "status", "total"); err != nil {
			return nil, err
		}
		if o.Status == model.OrderStatusCancelled {
			continue
		}
		if err := faults.Err(o.Total, "amount", "currency"); err != nil {
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
