import { graphql } from 'relay-runtime';

export const order = graphql`
  fragment history_order on Order {
    id
    total { amount currency }
    payment { __typename }
  }
`;

export const history = graphql`
  query historyQuery($limit: Int, $full: Boolean = false) {
    me { name orders(limit: $limit) { ...history_order placedAt @include(if: $full) } }
  }
`;

export const cancel = graphql`
  mutation historyCancelMutation($id: ID!, $input: CancelOrder) {
    cancelOrder(id: $id, input: $input) { ...history_order }
  }
`;
